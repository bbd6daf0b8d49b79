module samphan.invalid/clients

go 1.19
