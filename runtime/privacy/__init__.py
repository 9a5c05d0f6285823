"""What is kept of one person: found by phone or email wherever it stands, told whole, erased for good."""
