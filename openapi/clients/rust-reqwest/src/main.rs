//! The round trip of ../../round-trip.txt with openapi-generator's rust. Generated, compiled and run by ../../run.sh; arguments: BASE_URL EMAIL PASSWORD.
//!
//! The client shows no headers of answers, so the ETag is made of the record's version. Parameters of a list are a struct without defaults, which
//! every new filter would break; `search_accounts` asks the same in a body.

use samphan_client::{
    apis::{
        Error,
        accounts_api::{
            BatchAccountsParams, CreateAccountParams, GetAccountParams, SearchAccountsParams, UpdateAccountParams, batch_accounts,
            create_account, get_account, search_accounts, update_account,
        },
        auth_api::{SignInParams, sign_in},
        configuration::Configuration,
        orders_api::{ConfirmOrderParams, CreateOrderParams, SubmitOrderParams, confirm_order, create_order, submit_order},
        products_api::{CreateProductParams, create_product},
    },
    models::{
        AccountBatch, AccountBatchItem, AccountInput, AccountPatch, Filter, OrderInput, OrderLineInput, Problem, ProductInput,
        SearchRequest, SignIn, account_batch::Mode, filter::Op, order_input::Channel, product_input::Kind,
    },
};
use serde_json::{Value, json};
use std::{env, error, fmt::Debug};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn error::Error>>;

fn main() -> Outcome<()> {
    let given: Vec<String> = env::args().skip(1).collect();
    let [base_path, email, password] = given.try_into().map_err(|_| "usage: BASE_URL EMAIL PASSWORD")?;
    let name = format!("ทดสอบ & round trip {}", Uuid::new_v4());

    let mut settings = Configuration { base_path, ..Configuration::new() };
    let sign_in_params = SignInParams { sign_in: SignIn::new(email, password), x_request_id: None, accept_language: None };
    let tokens = sign_in(&settings, sign_in_params)?;
    settings.bearer_access_token = Some(tokens.access_token);
    say("sign-in", &[json!(tokens.token_type)]);

    let create = || {
        let mut account_input = AccountInput::new(name.clone());
        account_input.tags = Some(vec!["round_trip".to_owned()]);
        let params = CreateAccountParams { account_input, dry_run: None, x_request_id: None, accept_language: None, idempotency_key: None };
        create_account(&settings, params)
    };
    let account = create()?;
    let age = chrono::Utc::now().signed_duration_since(account.created_at);
    say(
        "create",
        &[
            json!(account.version),
            json!(account.legal_name),
            json!(account.is_vip),
            json!(account.tags),
            json!(account.name == name),
            json!(age.num_hours() == 0),
        ],
    );

    let mut made = [account.id, create()?.id, create()?.id];
    made.reverse();
    let named = Filter { field: Some("name".to_owned()), op: Some(Op::Eq), value: Some(Some(json!(name))), ..Filter::new() };
    let (mut sizes, mut ids, mut cursor) = (vec![], vec![], None);
    loop {
        let (filter, sort) = (Some(Box::new(named.clone())), Some("-created_at".to_owned()));
        let request = SearchRequest { filter, sort, limit: Some(2), cursor, ..SearchRequest::new() };
        let params = SearchAccountsParams { x_request_id: None, accept_language: None, search_request: Some(request) };
        let page = search_accounts(&settings, params)?;
        sizes.push(page.data.len());
        ids.extend(page.data.iter().map(|a| a.id));
        cursor = page.next_cursor;
        if !page.has_more {
            break;
        }
    }
    say("list", &[json!(sizes), json!(ids == made), json!(cursor)]);

    let update = |version: i64, account_patch: AccountPatch| {
        let if_match = Some(format!("\"{version}\""));
        let (id, dry_run) = (account.id.to_string(), None);
        let params =
            UpdateAccountParams { id, account_patch, dry_run, x_request_id: None, accept_language: None, idempotency_key: None, if_match };
        update_account(&settings, params)
    };
    let legal_name = Some(Some("บริษัท สยาม จำกัด".to_owned()));
    let named = update(account.version, AccountPatch { legal_name, ..AccountPatch::new() })?;
    let cleared = update(2, AccountPatch { legal_name: Some(None), ..AccountPatch::new() })?;
    say(
        "update",
        &[
            json!(named.version),
            json!(named.legal_name),
            json!(cleared.version),
            json!(cleared.legal_name),
            json!(cleared.name == name),
            json!(cleared.tags),
        ],
    );

    let (status, problem) = refusal(update(1, AccountPatch { name: Some("Too late".to_owned()), ..AccountPatch::new() }))?;
    say("conflict", &[json!(status), json!(problem.status), json!(problem.code)]);

    let good = AccountBatchItem { name: Some(name.clone()), ..AccountBatchItem::new() };
    let bad = AccountBatchItem { parent_id: Some(Some(Uuid::new_v4())), ..good.clone() };
    let account_batch = AccountBatch::new(Mode::Create, vec![good, bad]);
    let params = BatchAccountsParams { account_batch, dry_run: None, x_request_id: None, accept_language: None, idempotency_key: None };
    let batch = batch_accounts(&settings, params)?;
    let [first, second] = batch.results.as_slice() else { return Err("not two results".into()) };
    let fault = second.error.as_ref().ok_or("no error")?;
    say(
        "batch",
        &[
            json!([first.status, second.status]),
            json!(first.id.is_some()),
            json!(fault.code),
            json!(fault.errors.first().map(|e| &e.pointer)),
            json!(batch.summary.created),
            json!(batch.summary.failed),
        ],
    );

    let sku = Uuid::new_v4().to_string();
    let product_input =
        ProductInput { kind: Some(Kind::Service), unit: Some("hour".to_owned()), ..ProductInput::new(sku.clone(), name.clone()) };
    let params = CreateProductParams { product_input, dry_run: None, x_request_id: None, accept_language: None, idempotency_key: None };
    create_product(&settings, params)?;
    let line = OrderLineInput {
        sku: Some(Some(sku)),
        unit_price: Some(Some("1234.50".to_owned())),
        discount_percent: Some(Some("10".to_owned())),
        ..OrderLineInput::new("3".to_owned())
    };
    let order_input = OrderInput {
        currency: Some("THB".to_owned()),
        channel: Some(Channel::Web),
        lines: Some(vec![line]),
        ..OrderInput::new(account.id)
    };
    let params = CreateOrderParams { order_input, dry_run: None, x_request_id: None, accept_language: None, idempotency_key: None };
    let draft = create_order(&settings, params)?;
    let id = draft.id.to_string();
    let submission = SubmitOrderParams {
        id: id.clone(),
        dry_run: None,
        x_request_id: None,
        accept_language: None,
        idempotency_key: None,
        if_match: None,
    };
    let submitted = submit_order(&settings, submission.clone())?;
    let params = ConfirmOrderParams { id, dry_run: None, x_request_id: None, accept_language: None, idempotency_key: None, if_match: None };
    let order = confirm_order(&settings, params)?;
    let line = order.lines.first().ok_or("no line")?;
    say(
        "order",
        &[
            json!([draft.status, submitted.status, order.status]),
            json!(order.channel),
            json!(line.net_amount),
            json!(line.is_service),
            json!(order.total_amount),
            json!(order.requested_on),
        ],
    );

    let (status, problem) = refusal(submit_order(&settings, submission))?;
    say("refused", &[json!(status), json!(problem.code), json!(problem.allowed)]);

    let id = Uuid::new_v4().to_string();
    let params = GetAccountParams { id, fields: None, expand: None, x_request_id: None, accept_language: None, if_none_match: None };
    let (status, problem) = refusal(get_account(&settings, params))?;
    say("unknown", &[json!(status), json!(problem.code)]);
    Ok(())
}

/// The status and the problem a call was refused with. The generated error has a variant for each status and takes the first that fits, so
/// the body is read instead.
fn refusal<T, E: Debug>(outcome: Result<T, Error<E>>) -> Outcome<(u16, Problem)> {
    match outcome {
        Err(Error::ResponseError(refused)) => Ok((refused.status.as_u16(), serde_json::from_str(&refused.content)?)),
        Err(other) => Err(format!("{other:?}").into()),
        Ok(_) => Err("not refused".into()),
    }
}

fn say(step: &str, values: &[Value]) {
    let values: Vec<String> = values.iter().map(Value::to_string).collect();
    println!("{step} {}", values.join(" "));
}
