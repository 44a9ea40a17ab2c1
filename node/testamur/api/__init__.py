"""HTTP: requests are parsed here, handed to the service, and answered."""
