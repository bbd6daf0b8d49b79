language=PHP
generator="openapi-generator php"
version=$(pip_pin openapi-generator-cli)
prepare() {
  need php php-cli php-curl php-mbstring php-guzzlehttp-guzzle
  php -r 'exit((include "GuzzleHttp/autoload.php") && extension_loaded("curl") && extension_loaded("mbstring") ? 0 : 1);' 2>&1 \
    || debian php-curl php-mbstring php-guzzlehttp-guzzle || not_run "php has no Guzzle, curl or mbstring"
  python_tools
  cp "$here"/php/*.php .
}
generate() { openapi_generator php client; }
# Every file is read and checked, many in one process: a model nobody uses is compiled too.
compile() {
  php -d error_reporting=-1 -d display_errors=stderr -r 'require "autoload.php";
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator("client/lib")) as $file) {
      if ($file->getExtension() === "php") { require_once $file->getPathname(); }
    }'
}
round_trip() { php -d error_reporting=-1 -d display_errors=stderr round_trip.php "$@"; }
