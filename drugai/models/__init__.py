"""Networks and their Configs: batch in, tensor out. They know nothing of files, tasks' names or training."""
