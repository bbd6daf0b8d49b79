// A round trip with the generated Java client: what an integrator does in the first hour.
// Generated, compiled and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.

import java.net.http.HttpClient;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import samphan.client.ApiClient;
import samphan.client.ApiException;
import samphan.client.ApiResponse;
import samphan.client.api.AccountsApi;
import samphan.client.api.AccountsApi.APIBatchAccountsRequest;
import samphan.client.api.AccountsApi.APICreateAccountRequest;
import samphan.client.api.AccountsApi.APIListAccountsRequest;
import samphan.client.api.AccountsApi.APIUpdateAccountRequest;
import samphan.client.api.AuthApi;
import samphan.client.api.AuthApi.APISignInRequest;
import samphan.client.model.Account;
import samphan.client.model.AccountBatch;
import samphan.client.model.AccountPatch;
import samphan.client.model.NewAccount;
import samphan.client.model.Problem;
import samphan.client.model.SignIn;

public class RoundTrip {
  public static void main(String[] args) throws Exception {
    var json = ApiClient.createDefaultObjectMapper();
    var client = new ApiClient(HttpClient.newBuilder(), json, args[0]);
    var accounts = new AccountsApi(client);
    var steps = 0;

    // 1 sign in
    var tokens = new AuthApi(client).signIn(
        APISignInRequest.newBuilder().signIn(new SignIn().email(args[1]).password(args[2])).build());
    equal("Bearer", tokens.getTokenType());
    check(!tokens.getAccessToken().isEmpty() && !tokens.getRefreshToken().isEmpty(), "both tokens");
    check(tokens.getExpiresIn() > 0, "expires_in");
    client.setRequestInterceptor(request -> request.setHeader("Authorization", "Bearer " + tokens.getAccessToken()));
    accounts = new AccountsApi(client); // an Api keeps the interceptor it was made with
    steps++;

    // 2 create
    var name = "Java round trip " + UUID.randomUUID();
    var creation = accounts.createAccountWithHttpInfo(
        APICreateAccountRequest.newBuilder().newAccount(new NewAccount().name(name).tags(List.of("round_trip"))).build());
    var account = creation.getData();
    equal(201, creation.getStatusCode());
    equal("\"1\"", header(creation, "etag"));
    equal(1L, account.getVersion());
    equal(name, account.getName());
    equal(null, account.getLegalName());
    equal(false, account.getIsVip());
    equal(List.of("round_trip"), account.getTags());
    check(account.getCreatedAt() != null, "created_at");
    steps++;

    // 3 list
    var page = accounts.listAccounts(APIListAccountsRequest.newBuilder().limit(5).sort("-created_at").build());
    check(!page.getData().isEmpty() && page.getData().size() <= 5, "a page of at most five");
    check(page.getData().stream().anyMatch(a -> a.getId().equals(account.getId())), "the new account is on the first page");
    equal(page.getHasMore(), page.getNextCursor() != null);
    steps++;

    // 4 update: set a field, then clear it with null
    var named = update(accounts, account, new AccountPatch().legalName("บริษัท สยาม จำกัด"), "\"1\"");
    equal(2L, named.getVersion());
    equal("บริษัท สยาม จำกัด", named.getLegalName());
    var cleared = update(accounts, account, new AccountPatch().legalName(null), "\"2\"");
    equal(3L, cleared.getVersion());
    equal(null, cleared.getLegalName());
    equal(name, cleared.getName()); // what a patch leaves out stays, lists too
    equal(List.of("round_trip"), cleared.getTags());
    steps++;

    // 5 conflict
    Problem problem = null;
    try {
      update(accounts, account, new AccountPatch().name("Too late"), "\"1\"");
    } catch (ApiException refused) {
      equal(412, refused.getCode());
      problem = json.readValue(refused.getResponseBody(), Problem.class);
    }
    check(problem != null, "the stale update is refused");
    equal("version_conflict", problem.getCode());
    equal(412, problem.getStatus());
    steps++;

    // 6 batch
    var items = json.readValue("{\"mode\": \"create\", \"items\": [{\"name\": \"A\"}, {\"name\": \"\"}]}", AccountBatch.class);
    var batch = accounts.batchAccounts(APIBatchAccountsRequest.newBuilder().accountBatch(items).build());
    var first = batch.getResults().get(0);
    var second = batch.getResults().get(1);
    equal("created", first.getStatus());
    check(first.getId() != null && first.getError() == null, "the first item is created");
    equal("failed", second.getStatus());
    equal("validation_failed", second.getError().getCode());
    equal(1, batch.getSummary().getCreated());
    equal(1, batch.getSummary().getFailed());
    steps++;

    System.out.println("java: " + steps + " steps passed");
  }

  private static Account update(AccountsApi accounts, Account account, AccountPatch patch, String version) throws ApiException {
    return accounts.updateAccount(
        APIUpdateAccountRequest.newBuilder().id(account.getId()).accountPatch(patch).ifMatch(version).build());
  }

  private static String header(ApiResponse<?> response, String name) {
    return response.getHeaders().getOrDefault(name, List.of("")).get(0);
  }

  private static void equal(Object expected, Object actual) {
    check(Objects.equals(expected, actual), "expected " + expected + ", got " + actual);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
