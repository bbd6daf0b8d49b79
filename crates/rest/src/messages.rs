//! What people read in a problem, in English, Thai and Persian. Codes are for programs and never translated.

use samphan_resource::error::{Code, Error, FieldError};

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
        Code::InUse => ["Still in use", "ยังถูกใช้งานอยู่", "هنوز در حال استفاده است"],
        Code::LastAdministrator => ["The last administrator", "ผู้ดูแลระบบคนสุดท้าย", "آخرین مدیر سامانه"],
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
    match (error.code, error.about.as_str()) {
        (Code::Internal, _) | (_, "") => sentence.to_owned(),
        (_, about) => format!("{sentence} ({about})"),
    }
}

/// What is wrong in one place.
#[must_use]
pub fn fault(e: &FieldError, language: Language) -> String {
    let sentence = language.of(match e.code {
        "unknown_field" => ["is not a field here", "ไม่มีฟิลด์นี้", "چنین فیلدی نیست"],
        "unknown_parameter" => ["is not a parameter of this operation", "ไม่มีพารามิเตอร์นี้", "چنین پارامتری نیست"],
        "unknown_value" => ["is not one of the allowed values", "ไม่อยู่ในค่าที่อนุญาต", "از مقادیر مجاز نیست"],
        "unknown_operator" => ["is not an operator of this field", "ตัวดำเนินการนี้ใช้ไม่ได้", "این عملگر مجاز نیست"],
        "unknown_sort_key" => ["cannot be sorted by", "เรียงตามค่านี้ไม่ได้", "مرتب‌سازی با آن ممکن نیست"],
        "unknown_reference" => ["does not exist or is not visible, in", "ไม่พบข้อมูลที่อ้างถึง ใน", "وجود ندارد یا دیده نمی‌شود، در"],
        "required" => ["is required", "ต้องระบุ", "لازم است"],
        "null_not_allowed" => ["must not be null", "ต้องไม่เป็น null", "نباید null باشد"],
        "wrong_type" => ["must be", "ต้องเป็น", "باید این باشد:"],
        "too_long" => ["is longer than the limit of characters:", "ยาวเกินจำนวนอักขระ:", "از حد نویسه‌ها بلندتر است:"],
        "too_short" => ["is shorter than the least number of characters:", "สั้นกว่าจำนวนอักขระ:", "از حد نویسه‌ها کوتاه‌تر است:"],
        "too_large" => ["must be at most", "ต้องไม่เกิน", "حداکثر:"],
        "too_small" => ["must be at least", "ต้องไม่น้อยกว่า", "حداقل:"],
        "too_many_items" => ["has more items than", "มีรายการเกิน", "بیش از این مورد دارد:"],
        "too_few_items" => ["has fewer items than", "มีรายการน้อยกว่า", "کمتر از این مورد دارد:"],
        "too_many_decimals" => ["has too many decimals:", "ทศนิยมเกิน:", "رقم اعشار زیاد است:"],
        "out_of_range" => ["is out of range:", "อยู่นอกช่วง:", "خارج از بازه:"],
        "repeated" => ["is given more than once:", "ระบุซ้ำ:", "تکراری است:"],
        "time_without_offset" => ["needs", "ต้องมี", "نیاز دارد به"],
        "invalid_format" | "invalid_time" | "invalid_date" => ["must look like", "ต้องมีรูปแบบ", "باید به این شکل باشد:"],
        "invisible_character" => [
            "must not hold control characters or invisible ones",
            "ต้องไม่มีอักขระควบคุมหรืออักขระที่มองไม่เห็น",
            "نباید نویسهٔ کنترلی یا نادیدنی داشته باشد",
        ],
        "weak_password" => ["is too easy to guess: use", "เดาง่ายเกินไป ต้อง:", "حدس آن آسان است:"],
        "not_one_line" => [
            "must be one line, without control characters or direction overrides",
            "ต้องเป็นบรรทัดเดียว ไม่มีอักขระควบคุมหรืออักขระกลับทิศทาง",
            "باید یک سطر باشد، بدون نویسهٔ کنترلی یا تغییر جهت",
        ],
        "circular" => ["would make a ring:", "จะเป็นวงวน:", "حلقه می‌سازد:"],
        "too_many_levels" => ["has more levels than", "มีระดับเกิน", "بیش از این سطح دارد:"],
        "not_of_price_book" => ["is not the price book's currency:", "ไม่ใช่สกุลเงินของตารางราคา:", "ارز این فهرست قیمت نیست:"],
        "nul_character" => ["must not hold the NUL character", "ต้องไม่มีอักขระ NUL", "نباید نویسهٔ NUL داشته باشد"],
        "hidden_field" => ["is hidden from you", "คุณไม่มีสิทธิ์เห็นฟิลด์นี้", "از شما پنهان است"],
        "protected_field" => ["may not be changed by you", "คุณไม่มีสิทธิ์แก้ไขฟิลด์นี้", "اجازهٔ تغییر آن را ندارید"],
        "beyond_own_rights" => ["goes beyond your own rights:", "เกินสิทธิ์ของคุณเอง:", "از حقوق خود شما فراتر است:"],
        "read_only" => ["is set by the server", "เซิร์ฟเวอร์เป็นผู้กำหนด", "را سرور تعیین می‌کند"],
        "insufficient_stock" => ["is more than is available:", "มากกว่าที่มีอยู่:", "بیش از موجودی است:"],
        "on_hand" => ["is on hand already:", "มีอยู่ในสต็อกแล้ว:", "هم‌اکنون موجود است:"],
        "not_on_hand" => ["is not on hand there:", "ไม่มีอยู่ในคลังนั้น:", "در آن انبار موجود نیست:"],
        "not_confirmed" => ["is not confirmed:", "ยังไม่ได้ยืนยัน:", "تأیید نشده است:"],
        "in_past" => ["lies in the past:", "อยู่ในอดีต:", "در گذشته است:"],
        "as_of_in_future" => ["lies in the future:", "อยู่ในอนาคต:", "در آینده است:"],
        "superseded" => ["is older than what is known:", "เก่ากว่าข้อมูลที่มีอยู่:", "از آنچه دانسته است کهنه‌تر است:"],
        "invoice_refused" => [
            "is not applied, because an invoice of the same customer was refused:",
            "ไม่ถูกบันทึก เพราะใบแจ้งหนี้ของลูกค้ารายเดียวกันถูกปฏิเสธ:",
            "اعمال نشد، چون صورت‌حسابی از همین مشتری رد شد:",
        ],
        "ahead_of_feed" => ["is ahead of the feed", "อยู่หลังรายการล่าสุด", "از پایان جریان جلوتر است"],
        "address_not_allowed" => ["must be a public address", "ต้องเป็นที่อยู่สาธารณะ", "باید نشانی عمومی باشد"],
        "invalid_tax_id" => ["is not a Thai tax id:", "ไม่ใช่เลขประจำตัวผู้เสียภาษี:", "شناسهٔ مالیاتی تایلند نیست:"],
        _ => ["is not valid:", "ไม่ถูกต้อง:", "نادرست است:"],
    });
    if e.about.is_empty() { sentence.trim_end_matches(':').to_owned() } else { format!("{sentence} {}", e.about) }
}
