// What pages do besides being read. Each works without this.
