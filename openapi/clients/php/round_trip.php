<?php
// The round trip of ../round-trip.txt with openapi-generator's php. Generated, checked and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
declare(strict_types=1);

use Samphan\Api\AccountsApi;
use Samphan\Api\AuthApi;
use Samphan\Api\OrdersApi;
use Samphan\Api\ProductsApi;
use Samphan\ApiException;
use Samphan\Configuration;
use Samphan\Model\Account;
use Samphan\Model\AccountBatch;
use Samphan\Model\AccountBatchItem;
use Samphan\Model\AccountInput;
use Samphan\Model\AccountPatch;
use Samphan\Model\OrderInput;
use Samphan\Model\OrderLineInput;
use Samphan\Model\Problem;
use Samphan\Model\ProductInput;
use Samphan\Model\SignIn;

require __DIR__ . '/autoload.php';

function say(string $step, mixed ...$values): void
{
    $encode = fn (mixed $value) => json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
    echo implode(' ', [$step, ...array_map($encode, $values)]), "\n";
}

function uuid(): string
{
    $bytes = random_bytes(16);
    $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
    $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

/** What a call was refused with. */
function refusal(callable $call): ApiException
{
    try {
        $call();
    } catch (ApiException $refused) {
        return $refused;
    }
    throw new LogicException('not refused');
}

function problem(ApiException $refused): Problem
{
    return $refused->getResponseObject();
}

[, $baseUrl, $email, $password] = $argv;
$name = 'ทดสอบ & round trip ' . uuid();

// Of the default configuration, whatever an Api is given: otherwise booleans of a query are sent as 0 and 1.
$settings = Configuration::getDefaultConfiguration()->setHost($baseUrl)->setBooleanFormatForQueryString(Configuration::BOOLEAN_FORMAT_STRING);
$tokens = (new AuthApi())->signIn(new SignIn(['email' => $email, 'password' => $password]));
$settings->setAccessToken($tokens->getAccessToken());
say('sign-in', $tokens->getTokenType());
$accounts = new AccountsApi();
$products = new ProductsApi();
$orders = new OrdersApi();

$create = fn () => $accounts->createAccountWithHttpInfo(new AccountInput(['name' => $name, 'tags' => ['round_trip']]));
[$account, , $headers] = $create();
$recent = abs(time() - $account->getCreatedAt()->getTimestamp()) < 3600;
say(
    'create', $account->getVersion(), $account->getLegalName(), $account->getIsVip(), $account->getTags(), $account->getName() === $name,
    $recent,
);

$made = [$account->getId(), $create()[0]->getId(), $create()[0]->getId()];
$sizes = $ids = [];
$cursor = null;
do {
    $page = $accounts->listAccounts(name: $name, sort: '-created_at', limit: 2, cursor: $cursor);
    $sizes[] = count($page->getData());
    array_push($ids, ...array_map(fn (Account $a) => $a->getId(), $page->getData()));
    $cursor = $page->getNextCursor();
} while ($page->getHasMore());
say('list', $sizes, $ids === array_reverse($made), $cursor);

$update = fn (string $version, array $changes) => $accounts->updateAccount($account->getId(), new AccountPatch($changes), if_match: $version);
$named = $update(array_change_key_case($headers)['etag'][0], ['legal_name' => 'บริษัท สยาม จำกัด']);
$cleared = $update('"2"', ['legal_name' => null]);
say(
    'update', $named->getVersion(), $named->getLegalName(), $cleared->getVersion(), $cleared->getLegalName(), $cleared->getName() === $name,
    $cleared->getTags(),
);

$conflict = refusal(fn () => $update('"1"', ['name' => 'Too late']));
say('conflict', $conflict->getCode(), problem($conflict)->getStatus(), problem($conflict)->getCode());

$items = [new AccountBatchItem(['name' => $name]), new AccountBatchItem(['name' => $name, 'parent_id' => uuid()])];
$batch = $accounts->batchAccounts(new AccountBatch(['mode' => AccountBatch::MODE_CREATE, 'items' => $items]));
[$first, $second] = $batch->getResults();
say(
    'batch', [$first->getStatus(), $second->getStatus()], $first->getId() !== null, $second->getError()->getCode(),
    $second->getError()->getErrors()[0]->getPointer(), $batch->getSummary()->getCreated(), $batch->getSummary()->getFailed(),
);

$sku = uuid();
$products->createProduct(new ProductInput(['sku' => $sku, 'name' => $name, 'kind' => ProductInput::KIND_SERVICE, 'unit' => 'hour']));
$line = new OrderLineInput(['sku' => $sku, 'quantity' => '3', 'unit_price' => '1234.50', 'discount_percent' => '10']);
$draft = $orders->createOrder(new OrderInput([
    'account_id' => $account->getId(), 'currency' => 'THB', 'channel' => OrderInput::CHANNEL_WEB, 'lines' => [$line],
]));
$submitted = $orders->submitOrder($draft->getId());
$order = $orders->confirmOrder($draft->getId());
say(
    'order', [$draft->getStatus(), $submitted->getStatus(), $order->getStatus()], $order->getChannel(), $order->getLines()[0]->getNetAmount(),
    $order->getLines()[0]->getIsService(), $order->getTotalAmount(), $order->getRequestedOn(),
);

$refused = refusal(fn () => $orders->submitOrder($draft->getId()));
say('refused', $refused->getCode(), problem($refused)->getCode(), problem($refused)->getAllowed());

$unknown = refusal(fn () => $accounts->getAccount(uuid()));
say('unknown', $unknown->getCode(), problem($unknown)->getCode());
