<?php
// Stands in for Composer's autoloader: Guzzle is Debian's, the client lies in client/lib.
require 'GuzzleHttp/autoload.php';

spl_autoload_register(function (string $class): void {
    if (str_starts_with($class, 'Samphan\\')) {
        require __DIR__ . '/client/lib/' . strtr(substr($class, strlen('Samphan\\')), '\\', '/') . '.php';
    }
});
