"""Post-hoc tuning on development data: decision bias, temperature and calibration of scores."""
