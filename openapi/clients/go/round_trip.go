// The round trip of ../round-trip.txt with openapi-generator's go. Generated, compiled and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"samphan.invalid/clients/samphan"
)

func main() {
	settings := samphan.NewConfiguration()
	settings.Servers = samphan.ServerConfigurations{{URL: os.Args[1]}}
	client := samphan.NewAPIClient(settings)
	ctx := context.Background()
	name := "ทดสอบ & round trip " + uuid()

	tokens, _, err := client.AuthAPI.SignIn(ctx).SignIn(*samphan.NewSignIn(os.Args[2], os.Args[3])).Execute()
	check(err)
	ctx = context.WithValue(ctx, samphan.ContextAccessToken, tokens.AccessToken)
	say("sign-in", tokens.TokenType)

	create := func() (*samphan.Account, *http.Response) {
		body := samphan.NewAccountInput(name)
		body.SetTags([]string{"round_trip"})
		account, response, err := client.AccountsAPI.CreateAccount(ctx).AccountInput(*body).Execute()
		check(err)
		return account, response
	}
	account, response := create()
	age := time.Since(account.CreatedAt)
	etag := response.Header.Get("ETag")
	say("create", account.Version, account.LegalName.Get(), account.IsVip, account.Tags,
		account.Name == name, age > -time.Hour && age < time.Hour)

	second, _ := create()
	third, _ := create()
	var sizes []int
	var ids []string
	var cursor *string
	for more := true; more; {
		listing := client.AccountsAPI.ListAccounts(ctx).Name(name).Sort("-created_at").Limit(2)
		if cursor != nil {
			listing = listing.Cursor(*cursor)
		}
		page, _, err := listing.Execute()
		check(err)
		sizes = append(sizes, len(page.Data))
		for _, a := range page.Data {
			ids = append(ids, a.Id)
		}
		cursor, more = page.NextCursor.Get(), page.HasMore
	}
	say("list", sizes, reflect.DeepEqual(ids, []string{third.Id, second.Id, account.Id}), cursor)

	update := func(version string, change func(*samphan.AccountPatch)) (*samphan.Account, *http.Response, error) {
		patch := samphan.NewAccountPatch()
		change(patch)
		return client.AccountsAPI.UpdateAccount(ctx, account.Id).IfMatch(version).AccountPatch(*patch).Execute()
	}
	named, _, err := update(etag, func(p *samphan.AccountPatch) { p.SetLegalName("บริษัท สยาม จำกัด") })
	check(err)
	cleared, _, err := update(`"2"`, func(p *samphan.AccountPatch) { p.SetLegalNameNil() })
	check(err)
	say("update", named.Version, named.LegalName.Get(), cleared.Version, cleared.LegalName.Get(), cleared.Name == name, cleared.Tags)

	_, response, err = update(`"1"`, func(p *samphan.AccountPatch) { p.SetName("Too late") })
	say("conflict", response.StatusCode, problem(err).Status, problem(err).Code)

	good, bad := samphan.NewAccountBatchItem(), samphan.NewAccountBatchItem()
	good.SetName(name)
	bad.SetName(name)
	bad.SetParentId(uuid())
	items := *samphan.NewAccountBatch("create", []samphan.AccountBatchItem{*good, *bad})
	batch, _, err := client.AccountsAPI.BatchAccounts(ctx).AccountBatch(items).Execute()
	check(err)
	fault := batch.Results[1].GetError()
	say("batch", []string{batch.Results[0].Status, batch.Results[1].Status}, batch.Results[0].Id.Get() != nil, fault.Code, fault.Errors[0].Pointer,
		batch.Summary.Created, batch.Summary.Failed)

	product := samphan.NewProductInput(uuid(), name)
	product.SetKind("service")
	product.SetUnit("hour")
	_, _, err = client.ProductsAPI.CreateProduct(ctx).ProductInput(*product).Execute()
	check(err)
	line := samphan.NewOrderLineInput("3")
	line.SetSku(product.Sku)
	line.SetUnitPrice("1234.50")
	line.SetDiscountPercent("10")
	body := samphan.NewOrderInput(account.Id)
	body.SetLines([]samphan.OrderLineInput{*line})
	body.SetCurrency("THB")
	body.SetChannel("web")
	draft, _, err := client.OrdersAPI.CreateOrder(ctx).OrderInput(*body).Execute()
	check(err)
	submitted, _, err := client.OrdersAPI.SubmitOrder(ctx, draft.Id).Execute()
	check(err)
	order, _, err := client.OrdersAPI.ConfirmOrder(ctx, draft.Id).Execute()
	check(err)
	say("order", []string{draft.Status, submitted.Status, order.Status}, order.Channel, order.Lines[0].NetAmount, order.Lines[0].IsService,
		order.TotalAmount, order.RequestedOn.Get())

	_, response, err = client.OrdersAPI.SubmitOrder(ctx, draft.Id).Execute()
	say("refused", response.StatusCode, problem(err).Code, problem(err).Allowed)

	_, response, err = client.AccountsAPI.GetAccount(ctx, uuid()).Execute()
	say("unknown", response.StatusCode, problem(err).Code)
}

// problem is what a call was refused with.
func problem(err error) samphan.Problem {
	var refused *samphan.GenericOpenAPIError
	if !errors.As(err, &refused) {
		panic(fmt.Sprint("not refused: ", err))
	}
	return refused.Model().(samphan.Problem)
}

func check(err error) {
	var refused *samphan.GenericOpenAPIError
	if errors.As(err, &refused) {
		panic(fmt.Sprintf("%v: %s", err, refused.Body()))
	} else if err != nil {
		panic(err)
	}
}

func say(step string, values ...interface{}) {
	line := []string{step}
	for _, value := range values {
		text, err := json.Marshal(value)
		check(err)
		line = append(line, string(text))
	}
	fmt.Println(strings.Join(line, " "))
}

func uuid() string {
	b := make([]byte, 16)
	_, err := rand.Read(b)
	check(err)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
