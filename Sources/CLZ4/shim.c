// Of this file is built what whoever switches the trait off must do without: nothing that asks for liblz4's header.
