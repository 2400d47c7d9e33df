"""What sources of archives share: compressed members, where records begin and end, what a capture gives."""
