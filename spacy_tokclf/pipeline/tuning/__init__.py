"""What is fitted after training, on development data."""
