// The round trip of ../round-trip.txt with openapi-generator's java, library native. Generated, compiled and run by ../run.sh; arguments:
// BASE_URL EMAIL PASSWORD.

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import samphan.client.ApiClient;
import samphan.client.ApiException;
import samphan.client.ApiResponse;
import samphan.client.api.AccountsApi;
import samphan.client.api.AccountsApi.APIBatchAccountsRequest;
import samphan.client.api.AccountsApi.APICreateAccountRequest;
import samphan.client.api.AccountsApi.APIGetAccountRequest;
import samphan.client.api.AccountsApi.APIListAccountsRequest;
import samphan.client.api.AccountsApi.APIUpdateAccountRequest;
import samphan.client.api.AuthApi;
import samphan.client.api.AuthApi.APISignInRequest;
import samphan.client.api.OrdersApi;
import samphan.client.api.OrdersApi.APIConfirmOrderRequest;
import samphan.client.api.OrdersApi.APICreateOrderRequest;
import samphan.client.api.OrdersApi.APISubmitOrderRequest;
import samphan.client.api.ProductsApi;
import samphan.client.api.ProductsApi.APICreateProductRequest;
import samphan.client.model.Account;
import samphan.client.model.AccountBatch;
import samphan.client.model.AccountBatchItem;
import samphan.client.model.AccountPage;
import samphan.client.model.AccountPatch;
import samphan.client.model.AccountInput;
import samphan.client.model.OrderInput;
import samphan.client.model.OrderLineInput;
import samphan.client.model.ProductInput;
import samphan.client.model.Problem;
import samphan.client.model.SignIn;

public class RoundTrip {
  private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  public static void main(String[] args) throws Exception {
    var name = "ทดสอบ & round trip " + UUID.randomUUID();

    var client = new ApiClient(HttpClient.newBuilder(), JSON, args[0]);
    var tokens = new AuthApi(client).signIn(
        APISignInRequest.newBuilder().signIn(new SignIn().email(args[1]).password(args[2])).build());
    client.setRequestInterceptor(request -> request.setHeader("Authorization", "Bearer " + tokens.getAccessToken()));
    say("sign-in", tokens.getTokenType());
    // An Api keeps the interceptor it was made with, so these are made after it.
    var accounts = new AccountsApi(client);
    var products = new ProductsApi(client);
    var orders = new OrdersApi(client);

    var creating = APICreateAccountRequest.newBuilder().accountInput(new AccountInput().name(name).tags(List.of("round_trip"))).build();
    var creation = accounts.createAccountWithHttpInfo(creating);
    var account = creation.getData();
    var age = Duration.between(account.getCreatedAt(), OffsetDateTime.now()).abs();
    say("create", account.getVersion(), account.getLegalName(), account.getIsVip(), account.getTags(), name.equals(account.getName()),
        age.toHours() == 0);

    var made = new ArrayList<>(List.of(account.getId()));
    made.add(0, accounts.createAccount(creating).getId());
    made.add(0, accounts.createAccount(creating).getId());
    var sizes = new ArrayList<Integer>();
    var ids = new ArrayList<UUID>();
    AccountPage page;
    String cursor = null;
    do {
      page = accounts.listAccounts(APIListAccountsRequest.newBuilder().name(name).sort("-created_at").limit(2).cursor(cursor).build());
      sizes.add(page.getData().size());
      page.getData().forEach(a -> ids.add(a.getId()));
      cursor = page.getNextCursor();
    } while (page.getHasMore());
    say("list", sizes, ids.equals(made), cursor);

    var named = update(accounts, account, new AccountPatch().legalName("บริษัท สยาม จำกัด"), header(creation, "etag"));
    var cleared = update(accounts, account, new AccountPatch().legalName(null), "\"2\"");
    say("update", named.getVersion(), named.getLegalName(), cleared.getVersion(), cleared.getLegalName(),
        name.equals(cleared.getName()), cleared.getTags());

    var conflict = refusal(() -> update(accounts, account, new AccountPatch().name("Too late"), "\"1\""));
    say("conflict", conflict.getCode(), problem(conflict).getStatus(), problem(conflict).getCode());

    var items = List.of(new AccountBatchItem().name(name), new AccountBatchItem().name(name).parentId(UUID.randomUUID()));
    var batch = accounts.batchAccounts(APIBatchAccountsRequest.newBuilder()
        .accountBatch(new AccountBatch().mode(AccountBatch.ModeEnum.CREATE).items(items)).build());
    var first = batch.getResults().get(0);
    var second = batch.getResults().get(1);
    say("batch", List.of(first.getStatus(), second.getStatus()), first.getId() != null, second.getError().getCode(),
        second.getError().getErrors().get(0).getPointer(), batch.getSummary().getCreated(), batch.getSummary().getFailed());

    var sku = UUID.randomUUID().toString();
    products.createProduct(APICreateProductRequest.newBuilder()
        .productInput(new ProductInput().sku(sku).name(name).kind(ProductInput.KindEnum.SERVICE).unit("hour")).build());
    var line = new OrderLineInput().sku(sku).quantity("3").unitPrice("1234.50").discountPercent("10");
    var draft = orders.createOrder(APICreateOrderRequest.newBuilder().orderInput(new OrderInput().accountId(account.getId())
        .currency("THB").channel(OrderInput.ChannelEnum.WEB).lines(List.of(line))).build());
    var submitting = APISubmitOrderRequest.newBuilder().id(draft.getId()).build();
    var submitted = orders.submitOrder(submitting);
    var order = orders.confirmOrder(APIConfirmOrderRequest.newBuilder().id(draft.getId()).build());
    say("order", List.of(draft.getStatus(), submitted.getStatus(), order.getStatus()), order.getChannel(),
        order.getLines().get(0).getNetAmount(), order.getLines().get(0).getIsService(), order.getTotalAmount(), order.getRequestedOn());

    var refused = refusal(() -> orders.submitOrder(submitting));
    say("refused", refused.getCode(), problem(refused).getCode(), problem(refused).getAllowed());

    var unknown = refusal(() -> accounts.getAccount(APIGetAccountRequest.newBuilder().id(UUID.randomUUID()).build()));
    say("unknown", unknown.getCode(), problem(unknown).getCode());
  }

  private static Account update(AccountsApi accounts, Account account, AccountPatch patch, String version) throws ApiException {
    return accounts.updateAccount(
        APIUpdateAccountRequest.newBuilder().id(account.getId()).accountPatch(patch).ifMatch(version).build());
  }

  private interface Call {
    void run() throws ApiException;
  }

  /** What a call was refused with. */
  private static ApiException refusal(Call call) {
    try {
      call.run();
    } catch (ApiException refused) {
      return refused;
    }
    throw new AssertionError("not refused");
  }

  private static Problem problem(ApiException refused) throws JsonProcessingException {
    return JSON.readValue(refused.getResponseBody(), Problem.class);
  }

  private static String header(ApiResponse<?> response, String name) {
    return response.getHeaders().getOrDefault(name, List.of("")).get(0);
  }

  private static void say(String step, Object... values) throws JsonProcessingException {
    var line = new StringBuilder(step);
    for (var value : values) {
      line.append(' ').append(JSON.writeValueAsString(value));
    }
    OUT.println(line);
  }
}
