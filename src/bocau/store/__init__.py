"""What is remembered: the contract each room relies on, and the engines that keep it."""
