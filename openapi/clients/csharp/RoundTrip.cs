// The round trip of ../round-trip.txt with openapi-generator's csharp, library httpclient. Generated, compiled and run by ../run.sh; arguments:
// BASE_URL EMAIL PASSWORD.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Newtonsoft.Json;
using Samphan.Api;
using Samphan.Client;
using Samphan.Model;

public static class RoundTrip
{
    public static void Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        var name = "ทดสอบ & round trip " + Guid.NewGuid();

        var settings = new Configuration { BasePath = args[0] };
        // With conditionalSerialization only what a property was set to is sent, and a constructor's required arguments do not count.
        var credentials = new SignIn(args[1], args[2]) { Email = args[1], Password = args[2] };
        var tokens = new AuthApi(settings).SignIn(credentials);
        settings.AccessToken = tokens.AccessToken;
        Say("sign-in", tokens.TokenType);
        var accounts = new AccountsApi(settings);
        var products = new ProductsApi(settings);
        var orders = new OrdersApi(settings);

        Func<ApiResponse<Account>> create = () =>
            accounts.CreateAccountWithHttpInfo(new AccountInput(name: name) { Name = name, Tags = new List<string> { "round_trip" } });
        var creation = create();
        var account = creation.Data;
        var age = DateTime.UtcNow - account.CreatedAt.ToUniversalTime();
        Say("create", account.VarVersion, account.LegalName, account.IsVip, account.Tags, account.Name == name, age.Duration().TotalHours < 1);

        var made = new List<Guid> { account.Id, create().Data.Id, create().Data.Id };
        made.Reverse();
        var sizes = new List<int>();
        var ids = new List<Guid>();
        AccountPage page = null;
        do
        {
            page = accounts.ListAccounts(name: name, sort: "-created_at", limit: 2, cursor: page?.NextCursor);
            sizes.Add(page.Data.Count);
            ids.AddRange(page.Data.Select(a => a.Id));
        } while (page.HasMore);
        Say("list", sizes, ids.SequenceEqual(made), page.NextCursor);

        Func<string, AccountPatch, Account> update = (version, patch) => accounts.UpdateAccount(account.Id, patch, ifMatch: version);
        var named = update(creation.Headers["ETag"].Single(), new AccountPatch { LegalName = "บริษัท สยาม จำกัด" });
        var cleared = update("\"2\"", new AccountPatch { LegalName = null });
        Say("update", named.VarVersion, named.LegalName, cleared.VarVersion, cleared.LegalName, cleared.Name == name, cleared.Tags);

        var conflict = Refusal(() => update("\"1\"", new AccountPatch { Name = "Too late" }));
        Say("conflict", conflict.ErrorCode, ProblemOf(conflict).Status, ProblemOf(conflict).Code);

        var items = new List<AccountBatchItem> { new AccountBatchItem { Name = name }, new AccountBatchItem { Name = name, ParentId = Guid.NewGuid() } };
        var creating = AccountBatch.ModeEnum.Create;
        var batch = accounts.BatchAccounts(new AccountBatch(creating, items: items) { Mode = creating, Items = items });
        var fault = batch.Results[1].Error;
        Say("batch", batch.Results.Select(r => r.Status), batch.Results[0].Id != null, fault.Code, fault.Errors[0].Pointer,
            batch.Summary.Created, batch.Summary.Failed);

        var sku = Guid.NewGuid().ToString();
        products.CreateProduct(new ProductInput(sku: sku, name: name) { Sku = sku, Name = name, Kind = ProductInput.KindEnum.Service, Unit = "hour" });
        var line = new OrderLineInput(quantity: "3") { Sku = sku, Quantity = "3", UnitPrice = "1234.50", DiscountPercent = "10" };
        var draft = orders.CreateOrder(new OrderInput(accountId: account.Id)
        {
            AccountId = account.Id,
            Currency = "THB",
            Channel = OrderInput.ChannelEnum.Web,
            Lines = new List<OrderLineInput> { line },
        });
        var submitted = orders.SubmitOrder(draft.Id);
        var order = orders.ConfirmOrder(draft.Id);
        Say("order", new[] { draft.Status, submitted.Status, order.Status }, order.Channel, order.Lines[0].NetAmount, order.Lines[0].IsService,
            order.TotalAmount, order.RequestedOn);

        var refused = Refusal(() => orders.SubmitOrder(draft.Id));
        Say("refused", refused.ErrorCode, ProblemOf(refused).Code, ProblemOf(refused).Allowed);

        var unknown = Refusal(() => accounts.GetAccount(Guid.NewGuid()));
        Say("unknown", unknown.ErrorCode, ProblemOf(unknown).Code);
    }

    /// <summary>What a call was refused with.</summary>
    private static ApiException Refusal(Func<object> call)
    {
        try
        {
            call();
        }
        catch (ApiException refused)
        {
            return refused;
        }
        throw new InvalidOperationException("not refused");
    }

    private static Problem ProblemOf(ApiException refused)
    {
        return JsonConvert.DeserializeObject<Problem>((string)refused.ErrorContent);
    }

    private static void Say(string step, params object[] values)
    {
        Console.WriteLine(string.Join(" ", new[] { step }.Concat(values.Select(JsonConvert.SerializeObject))));
    }
}
