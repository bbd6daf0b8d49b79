//! What people read in a problem, in English, Thai and Persian. Codes are for programs and never translated.

use samphan_resource::error::{Code, Error, FieldCode, FieldError};

/// A language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Thai.
    Th,
    /// Persian.
    Fa,
}

impl Language {
    /// The first language of an Accept-Language header that we speak, by its quality.
    #[must_use]
    pub fn accepted(header: Option<&str>) -> Self {
        let quality = |part: &str| part.split_once(";q=").map_or(1.0, |(_, q)| q.trim().parse::<f32>().unwrap_or(0.0));
        let spoken = |part: &str| match part.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("th") => Some(Self::Th),
            Some("fa") => Some(Self::Fa),
            Some("en") => Some(Self::En),
            _ => None,
        };
        let mut best = (0.0, Self::En);
        for (language, q) in header.unwrap_or_default().split(',').filter_map(|p| spoken(p).map(|l| (l, quality(p)))) {
            if q > best.0 {
                best = (q, language);
            }
        }
        best.1
    }

    const fn of(self, [en, th, fa]: [&'static str; 3]) -> &'static str {
        match self {
            Self::En => en,
            Self::Th => th,
            Self::Fa => fa,
        }
    }
}

/// The title of a code.
#[must_use]
pub fn title(code: Code, language: Language) -> &'static str {
    language.of(match code {
        Code::MalformedJson => ["Malformed JSON", "JSON ไม่ถูกต้อง", "JSON نادرست"],
        Code::TooDeep => ["JSON nested too deep", "JSON ซ้อนลึกเกินไป", "JSON بیش از حد تودرتو"],
        Code::InvalidQuery => ["Invalid query parameter", "พารามิเตอร์ไม่ถูกต้อง", "پارامتر نادرست"],
        Code::InvalidFilter => ["Invalid filter", "ตัวกรองไม่ถูกต้อง", "فیلتر نادرست"],
        Code::InvalidCursor => ["Invalid cursor", "เคอร์เซอร์ไม่ถูกต้อง", "نشانگر نادرست"],
        Code::InvalidHeader => ["Invalid header", "ส่วนหัวไม่ถูกต้อง", "سرآیند نادرست"],
        Code::InvalidGrant => ["Sign-in failed", "เข้าสู่ระบบไม่สำเร็จ", "ورود ناموفق بود"],
        Code::Unauthenticated => ["Not signed in", "ยังไม่ได้เข้าสู่ระบบ", "وارد نشده‌اید"],
        Code::Forbidden => ["Not allowed", "ไม่ได้รับอนุญาต", "اجازه ندارید"],
        Code::NotFound => ["Not found", "ไม่พบข้อมูล", "پیدا نشد"],
        Code::UnknownPath => ["No such address", "ไม่มีที่อยู่นี้", "چنین نشانی‌ای نیست"],
        Code::MethodNotAllowed => ["Method not allowed", "ไม่รองรับวิธีนี้", "این روش مجاز نیست"],
        Code::NotAcceptable => ["Not acceptable", "ไม่รองรับรูปแบบที่ขอ", "قالب درخواستی پشتیبانی نمی‌شود"],
        Code::AlreadyExists => ["Already exists", "มีอยู่แล้ว", "از پیش وجود دارد"],
        Code::IllegalTransition => ["Not in this state", "สถานะปัจจุบันไม่อนุญาต", "وضعیت کنونی اجازه نمی‌دهد"],
        Code::PossibleDuplicate => ["Possibly a duplicate", "อาจเป็นข้อมูลซ้ำ", "احتمالاً تکراری است"],
        Code::ExitCriteria => ["Exit criteria not met", "ยังไม่ผ่านเงื่อนไขของขั้นตอน", "شرط‌های خروج برآورده نشده"],
        Code::StageInUse => ["Stage still in use", "ขั้นตอนยังถูกใช้งานอยู่", "مرحله هنوز در حال استفاده است"],
        Code::AlreadyConverted => ["Already converted", "แปลงเป็นลูกค้าแล้ว", "پیش‌تر تبدیل شده است"],
        Code::LikelyMatch => ["Likely the same customer", "น่าจะเป็นลูกค้ารายเดียวกัน", "احتمالاً همان مشتری است"],
        Code::DuplicateHidden => ["A customer you do not see", "เป็นลูกค้าที่คุณไม่มีสิทธิ์เห็น", "مشتری‌ای که نمی‌بینید"],
        Code::InUse => ["Still in use", "ยังถูกใช้งานอยู่", "هنوز در حال استفاده است"],
        Code::LastAdministrator => ["The last administrator", "ผู้ดูแลระบบคนสุดท้าย", "آخرین مدیر سامانه"],
        Code::NextInProgress => ["Next occurrence is in progress", "งานรอบถัดไปเริ่มแล้ว", "نوبت بعدی در جریان است"],
        Code::CustomerBlocked => ["Customer is blocked", "ลูกค้าถูกระงับ", "مشتری مسدود است"],
        Code::Conflict => ["Conflict", "ข้อมูลขัดแย้งกัน", "تعارض"],
        Code::InsufficientStock => ["Not enough in stock", "สินค้าในสต็อกไม่พอ", "موجودی کافی نیست"],
        Code::IdempotencyInProgress => ["Request still running", "คำขอก่อนหน้ายังทำงานอยู่", "درخواست پیشین در حال اجراست"],
        Code::VersionConflict => ["Changed meanwhile", "ข้อมูลถูกแก้ไขไปแล้ว", "در این میان تغییر کرده است"],
        Code::PreconditionFailed => ["Precondition failed", "เงื่อนไขไม่ผ่าน", "پیش‌شرط برقرار نیست"],
        Code::TooLarge => ["Body too large", "ข้อมูลใหญ่เกินไป", "بدنه بیش از حد بزرگ است"],
        Code::UnsupportedMediaType => ["Unsupported media type", "ไม่รองรับชนิดข้อมูลนี้", "نوع داده پشتیبانی نمی‌شود"],
        Code::ValidationFailed => ["Invalid data", "ข้อมูลไม่ถูกต้อง", "داده نادرست"],
        Code::IdempotencyKeyReused => ["Idempotency-Key used before", "ใช้ Idempotency-Key นี้ไปแล้ว", "این Idempotency-Key پیش‌تر به کار رفته"],
        Code::UnknownReference => ["Unknown reference", "อ้างอิงถึงข้อมูลที่ไม่มี", "ارجاع ناشناخته"],
        Code::UnknownExternalId => ["Unknown external id", "ไม่รู้จักรหัสของระบบภายนอกนี้", "شناسهٔ بیرونی ناشناخته"],
        Code::ControlTotalMismatch => ["Control totals do not match", "ยอดควบคุมไม่ตรงกัน", "جمع‌های کنترلی نمی‌خوانند"],
        Code::TooCostly => ["Read takes too long", "การค้นหานี้ใช้เวลานานเกินไป", "این خواندن بیش از حد زمان می‌برد"],
        Code::PreconditionRequired => ["If-Match required", "ต้องระบุ If-Match", "If-Match لازم است"],
        Code::RateLimited => ["Too many requests", "ส่งคำขอถี่เกินไป", "درخواست‌ها بیش از حد است"],
        Code::Internal => ["Internal error", "เกิดข้อผิดพลาดภายใน", "خطای درونی"],
        Code::Unavailable => ["Temporarily unavailable", "ใช้งานไม่ได้ชั่วคราว", "موقتاً در دسترس نیست"],
        Code::Timeout => ["Request timed out", "หมดเวลารอ", "مهلت درخواست تمام شد"],
    })
}

/// What to do about it: the code's own sentence in English, with what it is about.
#[must_use]
pub fn detail(error: &Error, language: Language) -> String {
    let sentence = match language {
        Language::En => error.code.about(),
        _ => title(error.code, language),
    };
    match (error.code, error.detail.as_str()) {
        (Code::Internal, _) | (_, "") => sentence.to_owned(),
        (_, about) => format!("{sentence} ({about})"),
    }
}

/// What is wrong in one place.
#[must_use]
pub fn fault(e: &FieldError, language: Language) -> String {
    let sentence = language.of(words(e.code));
    if e.about.is_empty() { sentence.trim_end_matches(':').to_owned() } else { format!("{sentence} {}", e.about) }
}

/// What a code says of its place in English, Thai and Persian; with a colon at its end where what it is about may be left out.
const fn words(code: FieldCode) -> [&'static str; 3] {
    match code {
        FieldCode::UnknownField => ["is not a field here", "ไม่มีฟิลด์นี้", "چنین فیلدی نیست"],
        FieldCode::UnknownParameter => ["is not a parameter of this operation", "ไม่มีพารามิเตอร์นี้", "چنین پارامتری نیست"],
        FieldCode::UnknownValue => ["is not one of the allowed values", "ไม่อยู่ในค่าที่อนุญาต", "از مقادیر مجاز نیست"],
        FieldCode::UnknownOperator => ["is not an operator of this field", "ตัวดำเนินการนี้ใช้ไม่ได้", "این عملگر مجاز نیست"],
        FieldCode::UnknownSortKey => ["cannot be sorted by", "เรียงตามค่านี้ไม่ได้", "مرتب‌سازی با آن ممکن نیست"],
        FieldCode::UnknownReference => ["does not exist or is not visible, in", "ไม่พบข้อมูลที่อ้างถึง ใน", "وجود ندارد یا دیده نمی‌شود، در"],
        FieldCode::UnknownExternalId => {
            ["is not mapped by an external reference:", "ยังไม่มีการอ้างอิงภายนอกที่จับคู่รหัสนี้:", "ارجاع بیرونی برای این شناسه نیست:"]
        }
        FieldCode::UnknownCurrency => ["is not a currency; needed:", "ไม่ใช่สกุลเงิน ต้องเป็น:", "ارز نیست؛ لازم است:"],
        FieldCode::UnknownTimeZone => ["is not a time zone; needed:", "ไม่ใช่เขตเวลา ต้องเป็น:", "منطقهٔ زمانی نیست؛ لازم است:"],
        FieldCode::UnknownTaxCode => {
            ["has no tax rate on that day; needed:", "ไม่มีอัตราภาษีในวันนั้น ต้องเป็น:", "در آن روز نرخ مالیات ندارد؛ لازم است:"]
        }
        FieldCode::Required => ["is required", "ต้องระบุ", "لازم است"],
        FieldCode::NullNotAllowed => ["must not be null", "ต้องไม่เป็น null", "نباید null باشد"],
        FieldCode::WrongType => ["must be", "ต้องเป็น", "باید این باشد:"],
        FieldCode::TooLong => ["is longer than the limit of characters:", "ยาวเกินจำนวนอักขระ:", "از حد نویسه‌ها بلندتر است:"],
        FieldCode::TooShort => ["is shorter than the least number of characters:", "สั้นกว่าจำนวนอักขระ:", "از حد نویسه‌ها کوتاه‌تر است:"],
        FieldCode::TooLarge => ["must be at most", "ต้องไม่เกิน", "حداکثر:"],
        FieldCode::TooSmall => ["must be at least", "ต้องไม่น้อยกว่า", "حداقل:"],
        FieldCode::TooMuch => ["is more than is left:", "มากกว่าที่เหลืออยู่:", "از باقی‌مانده بیشتر است:"],
        FieldCode::TooDeep => ["is nested deeper than", "ซ้อนลึกเกิน", "بیش از این تودرتو است:"],
        FieldCode::TooManyItems => ["has more items than", "มีรายการเกิน", "بیش از این مورد دارد:"],
        FieldCode::TooFewItems => ["has fewer items than", "มีรายการน้อยกว่า", "کمتر از این مورد دارد:"],
        FieldCode::TooManyDecimals => ["has too many decimals:", "ทศนิยมเกิน:", "رقم اعشار زیاد است:"],
        FieldCode::TooManyLevels => ["has more levels than", "มีระดับเกิน", "بیش از این سطح دارد:"],
        FieldCode::OutOfRange => ["is out of range:", "อยู่นอกช่วง:", "خارج از بازه:"],
        FieldCode::Repeated => ["is given more than once:", "ระบุซ้ำ:", "تکراری است:"],
        FieldCode::InvalidValue => ["is not valid:", "ไม่ถูกต้อง:", "نادرست است:"],
        FieldCode::InvalidFormat | FieldCode::InvalidTime | FieldCode::InvalidDate | FieldCode::InvalidDuration => {
            ["must look like", "ต้องมีรูปแบบ", "باید به این شکل باشد:"]
        }
        FieldCode::InvalidEmail => ["is not an e-mail address:", "ไม่ใช่ที่อยู่อีเมล:", "نشانی ایمیل نیست:"],
        FieldCode::InvalidPhone => ["is not a telephone number:", "ไม่ใช่หมายเลขโทรศัพท์:", "شمارهٔ تلفن نیست:"],
        FieldCode::InvalidTaxId => ["is not a Thai tax id:", "ไม่ใช่เลขประจำตัวผู้เสียภาษี:", "شناسهٔ مالیاتی تایلند نیست:"],
        FieldCode::InvalidBranchCode => ["is not a branch code:", "ไม่ใช่รหัสสาขา:", "کد شعبه نیست:"],
        FieldCode::TimeWithoutOffset => ["needs", "ต้องมี", "نیاز دارد به"],
        FieldCode::InvisibleCharacter => [
            "must not hold control characters or invisible ones",
            "ต้องไม่มีอักขระควบคุมหรืออักขระที่มองไม่เห็น",
            "نباید نویسهٔ کنترلی یا نادیدنی داشته باشد",
        ],
        FieldCode::NotOneLine => [
            "must be one line, without control characters or direction overrides",
            "ต้องเป็นบรรทัดเดียว ไม่มีอักขระควบคุมหรืออักขระกลับทิศทาง",
            "باید یک سطر باشد، بدون نویسهٔ کنترلی یا تغییر جهت",
        ],
        FieldCode::NulCharacter => ["must not hold the NUL character", "ต้องไม่มีอักขระ NUL", "نباید نویسهٔ NUL داشته باشد"],
        FieldCode::MalformedJson => ["is not valid JSON; needed:", "ไม่ใช่ JSON ที่ถูกต้อง ต้องเป็น:", "JSON درستی نیست؛ لازم است:"],
        FieldCode::MalformedFilter => ["is not a condition; needed:", "ไม่ใช่เงื่อนไขของตัวกรอง ต้องเป็น:", "شرط فیلتر نیست؛ لازم است:"],
        FieldCode::SortKeyMustBeFirst => ["must be the first sort key:", "ต้องเป็นลำดับการเรียงแรก:", "باید نخستین کلید مرتب‌سازی باشد:"],
        FieldCode::Ambiguous => {
            ["excludes another value given; needed:", "ขัดกับค่าอื่นที่ระบุ ต้องเป็น:", "با مقدار دیگری که داده شده جمع نمی‌شود؛ لازم است:"]
        }
        FieldCode::AmbiguousKey => ["is not named by one key; needed:", "ต้องระบุด้วยคีย์เดียว:", "با یک کلید نامیده نشده است؛ لازم است:"],
        FieldCode::NotAllowed => ["is not allowed here; needed:", "ใช้ค่านี้ที่นี่ไม่ได้ ต้องเป็น:", "اینجا مجاز نیست؛ لازم است:"],
        FieldCode::HiddenField => ["is hidden from you", "คุณไม่มีสิทธิ์เห็นฟิลด์นี้", "از شما پنهان است"],
        FieldCode::ProtectedField => ["may not be changed by you", "คุณไม่มีสิทธิ์แก้ไขฟิลด์นี้", "اجازهٔ تغییر آن را ندارید"],
        FieldCode::BeyondOwnRights => ["goes beyond your own rights:", "เกินสิทธิ์ของคุณเอง:", "از حقوق خود شما فراتر است:"],
        FieldCode::WeakPassword => ["is too easy to guess: use", "เดาง่ายเกินไป ต้อง:", "حدس آن آسان است:"],
        FieldCode::WrongPassword => ["is wrong; needed:", "ไม่ถูกต้อง ต้องเป็น:", "نادرست است؛ لازم است:"],
        FieldCode::InactiveUser => ["is not active; needed:", "ไม่ได้ใช้งานอยู่ ต้องเป็น:", "فعال نیست؛ لازم است:"],
        FieldCode::NotAPerson => ["is not a person; needed:", "ไม่ใช่บุคคลธรรมดา ต้องเป็น:", "شخص حقیقی نیست؛ لازم است:"],
        FieldCode::Circular => ["would make a ring:", "จะเป็นวงวน:", "حلقه می‌سازد:"],
        FieldCode::RefersToItself => ["refers to itself; needed:", "อ้างถึงตัวเอง ต้องเป็น:", "به خودش ارجاع می‌دهد؛ لازم است:"],
        FieldCode::InPast => ["lies in the past:", "อยู่ในอดีต:", "در گذشته است:"],
        FieldCode::InTheFuture => ["lies in the future; needed:", "อยู่ในอนาคต ต้องเป็น:", "در آینده است؛ لازم است:"],
        FieldCode::AsOfInFuture => ["lies in the future:", "อยู่ในอนาคต:", "در آینده است:"],
        FieldCode::BeforeStart => ["lies before the start; needed:", "อยู่ก่อนวันเริ่มต้น ต้องเป็น:", "پیش از آغاز است؛ لازم است:"],
        FieldCode::Superseded => ["is older than what is known:", "เก่ากว่าข้อมูลที่มีอยู่:", "از آنچه دانسته است کهنه‌تر است:"],
        FieldCode::SameAsOfDifferentValues => [
            "was told with other values of the same moment:",
            "มีข้อมูลของเวลาเดียวกันที่ต่างออกไป:",
            "برای همان لحظه مقدارهای دیگری گفته شده است:",
        ],
        FieldCode::InvoiceRefused => [
            "is not applied, because an invoice of the same customer was refused:",
            "ไม่ถูกบันทึก เพราะใบแจ้งหนี้ของลูกค้ารายเดียวกันถูกปฏิเสธ:",
            "اعمال نشد، چون صورت‌حسابی از همین مشتری رد شد:",
        ],
        FieldCode::ControlTotalMismatch => ["does not match:", "ไม่ตรงกับที่ได้รับ:", "نمی‌خواند:"],
        FieldCode::OtherLedger => ["is of another ledger; needed:", "เป็นของบัญชีอื่น ต้องเป็น:", "از دفتر دیگری است؛ لازم است:"],
        FieldCode::AheadOfFeed => ["is ahead of the feed", "อยู่หลังรายการล่าสุด", "از پایان جریان جلوتر است"],
        FieldCode::AddressNotAllowed => ["must be a public address", "ต้องเป็นที่อยู่สาธารณะ", "باید نشانی عمومی باشد"],
        FieldCode::OtherCurrency => ["is of another currency; needed:", "เป็นสกุลเงินอื่น ต้องเป็น:", "ارز آن دیگر است؛ لازم است:"],
        FieldCode::NotOfPriceBook => ["is not the price book's currency:", "ไม่ใช่สกุลเงินของตารางราคา:", "ارز این فهرست قیمت نیست:"],
        FieldCode::NoPriceBook => ["has no price book; needed:", "ไม่มีตารางราคา ต้องมี:", "فهرست قیمت ندارد؛ لازم است:"],
        FieldCode::NoPrice => ["has no price; needed:", "ไม่มีราคา ต้องมี:", "قیمت ندارد؛ لازم است:"],
        FieldCode::Discontinued => ["is no longer sold; needed:", "เลิกขายแล้ว ต้องเป็น:", "دیگر فروخته نمی‌شود؛ لازم است:"],
        FieldCode::NotOfAccount => ["is of another customer; needed:", "เป็นของลูกค้ารายอื่น ต้องเป็น:", "از مشتری دیگری است؛ لازم است:"],
        FieldCode::NotConfirmed => ["is not confirmed:", "ยังไม่ได้ยืนยัน:", "تأیید نشده است:"],
        FieldCode::Shipped => [
            "is bound by what is shipped or invoiced; needed:",
            "ผูกกับสินค้าที่จัดส่งหรือออกใบแจ้งหนี้แล้ว ต้องมี:",
            "به آنچه ارسال یا صورت‌حساب شده وابسته است؛ لازم است:",
        ],
        FieldCode::Invoiced => {
            ["is bound by what is invoiced; needed:", "ผูกกับสินค้าที่ออกใบแจ้งหนี้แล้ว ต้องมี:", "به آنچه صورت‌حساب شده وابسته است؛ لازم است:"]
        }
        FieldCode::InsufficientStock => ["is more than is available:", "มากกว่าที่มีอยู่:", "بیش از موجودی است:"],
        FieldCode::OnHand => ["is on hand already:", "มีอยู่ในสต็อกแล้ว:", "هم‌اکنون موجود است:"],
        FieldCode::NotOnHand => ["is not on hand there:", "ไม่มีอยู่ในคลังนั้น:", "در آن انبار موجود نیست:"],
        FieldCode::NothingThere => {
            ["has nothing for the order; needed:", "ไม่มีสินค้าสำหรับคำสั่งซื้อนี้ ต้องเป็น:", "چیزی برای این سفارش ندارد؛ لازم است:"]
        }
        FieldCode::NotStocked => ["is not kept in stock; needed:", "ไม่ได้เก็บเป็นสต็อก ต้องเป็น:", "در انبار نگهداری نمی‌شود؛ لازم است:"],
        FieldCode::NotForSale => ["is not for sale; needed:", "ไม่ได้มีไว้ขาย ต้องเป็น:", "برای فروش نیست؛ لازم است:"],
        FieldCode::Closed => ["is closed; needed:", "ปิดแล้ว ต้องเป็น:", "بسته است؛ لازم است:"],
        FieldCode::NotActive => ["is not active:", "ไม่มีผลแล้ว:", "فعال نیست:"],
        FieldCode::UseAction => ["is changed by an action:", "เปลี่ยนด้วยคำสั่ง:", "با این کنش تغییر می‌کند:"],
        FieldCode::NotInPipeline => ["is not in the pipeline; needed:", "ไม่อยู่ในไปป์ไลน์นี้ ต้องเป็น:", "در این خط فروش نیست؛ لازم است:"],
        FieldCode::MustSumTo100 => ["must add up to 100 percent:", "ต้องรวมกันได้ 100 เปอร์เซ็นต์:", "باید روی هم ۱۰۰ درصد شود:"],
        FieldCode::Unmet => ["does not meet the condition:", "ยังไม่ผ่านเงื่อนไข:", "این شرط را برآورده نمی‌کند:"],
        FieldCode::NeverOpen => {
            ["is never followed by open time; needed:", "ไม่มีเวลาทำการหลังจากนี้ ต้องมี:", "پس از آن هیچ ساعت کاری نیست؛ لازم است:"]
        }
        FieldCode::Tracked => [
            "is tracked by lot or serial number; needed:",
            "ติดตามด้วยล็อตหรือหมายเลขเครื่อง ต้องเป็น:",
            "با شمارهٔ سری یا سریال پیگیری می‌شود؛ لازم است:",
        ],
        FieldCode::NothingNamed => ["says nothing; needed:", "ไม่มีข้อมูล ต้องมี:", "چیزی نمی‌گوید؛ لازم است:"],
        FieldCode::AmbiguousLimit => {
            ["does not fit the kind of the limit; needed:", "ไม่ตรงกับชนิดของวงเงิน ต้องเป็น:", "با نوع سقف نمی‌خواند؛ لازم است:"]
        }
        FieldCode::Item(_) => ["failed", "ไม่สำเร็จ", "ناموفق بود"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_field_has_words_of_its_own_in_three_languages() {
        let no_letters = |text: &str, range: std::ops::RangeInclusive<char>| !text.chars().any(|c| range.contains(&c));
        for code in FieldCode::ALL {
            let [en, th, fa] = words(*code);
            assert!(en.is_ascii() && !en.is_empty(), "{code:?}: {en}");
            assert!(!no_letters(th, 'ก'..='๛') && !no_letters(fa, '\u{600}'..='\u{6ff}'), "{code:?}: {th} {fa}");
        }
    }
}
