"""What is proven and how it is checked, pure: records, trust files, receipts, verdicts."""
