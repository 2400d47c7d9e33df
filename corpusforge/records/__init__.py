"""Records of data sets: where they stand in files of lines, tables and dumps, and what documents they become."""
