"""From a credential file to the commitment that is submitted, pure."""
