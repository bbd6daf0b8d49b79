# The round trip of ../round-trip.txt with openapi-generator's ruby. Generated, checked and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
require 'json'
require 'samphan'
require 'securerandom'

def say(step, *values)
  puts [step, *values.map { |value| JSON.generate(value) }].join(' ')
end

# What a call was refused with.
def refusal
  yield
  raise 'not refused'
rescue Samphan::ApiError => e
  e
end

def problem(refused)
  Samphan::Problem.build_from_hash(JSON.parse(refused.response_body, symbolize_names: true))
end

base_url, email, password = ARGV
name = "ทดสอบ & round trip #{SecureRandom.uuid}"

config = Samphan::Configuration.new
config.scheme, config.host = base_url.split('://', 2)
config.base_path = ''
config.server_index = nil
api = Samphan::ApiClient.new(config)

tokens = Samphan::AuthApi.new(api).sign_in(Samphan::SignIn.new(email: email, password: password))
config.access_token = tokens.access_token
say('sign-in', tokens.token_type)
accounts = Samphan::AccountsApi.new(api)
products = Samphan::ProductsApi.new(api)
orders = Samphan::OrdersApi.new(api)

create = -> { accounts.create_account_with_http_info(Samphan::AccountInput.new(name: name, tags: ['round_trip'])) }
account, _, headers = create.call
recent = (Time.now - account.created_at.to_time).abs < 3600
say('create', account.version, account.legal_name, account.is_vip, account.tags, account.name == name, recent)

made = [account.id, create.call[0].id, create.call[0].id]
sizes = []
ids = []
cursor = nil
loop do
  page = accounts.list_accounts({ name: name, sort: '-created_at', limit: 2, cursor: cursor }.compact)
  sizes << page.data.size
  ids.concat(page.data.map(&:id))
  cursor = page.next_cursor
  break unless page.has_more
end
say('list', sizes, ids == made.reverse, cursor)

update = ->(version, patch) { accounts.update_account(account.id, patch, if_match: version) }
named = update.call(headers['etag'] || headers['Etag'] || headers['ETag'], Samphan::AccountPatch.new(legal_name: 'บริษัท สยาม จำกัด'))
cleared = update.call('"2"', Samphan::AccountPatch.new(legal_name: nil))
say('update', named.version, named.legal_name, cleared.version, cleared.legal_name, cleared.name == name, cleared.tags)

conflict = refusal { update.call('"1"', Samphan::AccountPatch.new(name: 'Too late')) }
say('conflict', conflict.code, problem(conflict).status, problem(conflict).code)

items = [Samphan::AccountBatchItem.new(name: name), Samphan::AccountBatchItem.new(name: name, parent_id: SecureRandom.uuid)]
batch = accounts.batch_accounts(Samphan::AccountBatch.new(mode: 'create', items: items))
first, second = batch.results
say('batch', batch.results.map(&:status), !first.id.nil?, second.error.code, second.error.errors[0].pointer, batch.summary.created,
    batch.summary.failed)

sku = SecureRandom.uuid
products.create_product(Samphan::ProductInput.new(sku: sku, name: name, kind: 'service', unit: 'hour'))
line = Samphan::OrderLineInput.new(sku: sku, quantity: '3', unit_price: '1234.50', discount_percent: '10')
draft = orders.create_order(Samphan::OrderInput.new(account_id: account.id, currency: 'THB', channel: 'web', lines: [line]))
submitted = orders.submit_order(draft.id)
order = orders.confirm_order(draft.id)
say('order', [draft.status, submitted.status, order.status], order.channel, order.lines[0].net_amount, order.lines[0].is_service,
    order.total_amount, order.requested_on)

refused = refusal { orders.submit_order(draft.id) }
say('refused', refused.code, problem(refused).code, problem(refused).allowed)

unknown = refusal { accounts.get_account(SecureRandom.uuid) }
say('unknown', unknown.code, problem(unknown).code)
