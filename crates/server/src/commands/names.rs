//! Words that made-up records are put together from: Thai and the same as written in English, and some of Persian.

/// Beginnings of company names.
pub const STEMS: [(&str, &str); 24] = [
    ("สยาม", "Siam"),
    ("ไทยเจริญ", "Thai Charoen"),
    ("รุ่งเรือง", "Rungruang"),
    ("ศรีทอง", "Sri Thong"),
    ("บูรพา", "Burapha"),
    ("ทักษิณ", "Thaksin"),
    ("ล้านนา", "Lanna"),
    ("อันดามัน", "Andaman"),
    ("เจ้าพระยา", "Chao Phraya"),
    ("มงคล", "Mongkol"),
    ("ชัยพัฒน์", "Chaiphat"),
    ("กิจเจริญ", "Kit Charoen"),
    ("ทรัพย์สิน", "Sapsin"),
    ("เพชรรัตน์", "Phetcharat"),
    ("วัฒนา", "Watthana"),
    ("นำโชค", "Namchok"),
    ("อุดมสุข", "Udomsuk"),
    ("พรหมลิขิต", "Phromlikhit"),
    ("สุวรรณ", "Suwan"),
    ("ดวงดี", "Duangdee"),
    ("แสงตะวัน", "Saengtawan"),
    ("ร่มโพธิ์", "Rompho"),
    ("ธารา", "Thara"),
    ("มิตรไทย", "Mit Thai"),
];

/// Lines of business: Thai, English, and the industry.
pub const TRADES: [(&str, &str, &str); 12] = [
    ("การค้า", "Trading", "Wholesale"),
    ("ฟู้ดส์", "Foods", "Food"),
    ("คอนสตรัคชั่น", "Construction", "Construction"),
    ("โลจิสติกส์", "Logistics", "Logistics"),
    ("การเกษตร", "Agriculture", "Agriculture"),
    ("เท็กซ์ไทล์", "Textiles", "Textiles"),
    ("อิเล็กทรอนิกส์", "Electronics", "Electronics"),
    ("พลาสติก", "Plastics", "Manufacturing"),
    ("เฟอร์นิเจอร์", "Furniture", "Furniture"),
    ("เภสัช", "Pharma", "Health"),
    ("การพิมพ์", "Printing", "Printing"),
    ("รีสอร์ท", "Resorts", "Hospitality"),
];

/// Given names.
pub const FIRST: [(&str, &str); 24] = [
    ("สมชาย", "Somchai"),
    ("สมหญิง", "Somying"),
    ("ประเสริฐ", "Prasert"),
    ("มาลี", "Malee"),
    ("นิรันดร์", "Niran"),
    ("วิภา", "Wipa"),
    ("อนันต์", "Anan"),
    ("กนกวรรณ", "Kanokwan"),
    ("ธนา", "Thana"),
    ("ปิยะ", "Piya"),
    ("จิราพร", "Jiraporn"),
    ("สุรชัย", "Surachai"),
    ("อรุณี", "Arunee"),
    ("วีระ", "Weera"),
    ("ลัดดา", "Ladda"),
    ("ชาญชัย", "Chanchai"),
    ("พิมพ์ใจ", "Pimjai"),
    ("เกียรติ", "Kiat"),
    ("นภา", "Napa"),
    ("ศักดิ์ชัย", "Sakchai"),
    ("รัตนา", "Rattana"),
    ("บุญมี", "Boonmee"),
    ("ดารุณี", "Darunee"),
    ("ไพโรจน์", "Pairoj"),
];

/// Family names.
pub const LAST: [(&str, &str); 24] = [
    ("ใจดี", "Jaidee"),
    ("รักดี", "Rakdee"),
    ("ศรีสุข", "Srisuk"),
    ("ทองคำ", "Thongkham"),
    ("แก้วมณี", "Kaewmanee"),
    ("วงศ์ไทย", "Wongthai"),
    ("สุขสันต์", "Suksan"),
    ("บุญเรือง", "Boonruang"),
    ("จันทร์เพ็ญ", "Chanpen"),
    ("พงษ์พานิช", "Pongpanich"),
    ("อินทร์แก้ว", "Inkaew"),
    ("มั่นคง", "Mankhong"),
    ("ชัยชนะ", "Chaichana"),
    ("ประเสริฐสุข", "Prasertsuk"),
    ("วัฒนกุล", "Wattanakul"),
    ("ศิริวงศ์", "Siriwong"),
    ("เจริญผล", "Charoenphon"),
    ("นาคสวัสดิ์", "Naksawat"),
    ("ลิ้มสกุล", "Limsakul"),
    ("เพชรดี", "Petchdee"),
    ("สายทอง", "Saithong"),
    ("ธรรมรักษ์", "Thammarak"),
    ("กิตติกุล", "Kittikul"),
    ("ทิพย์มณี", "Thipmanee"),
];

/// Beginnings of company names in Persian; some with the half-space that a search must not stumble over.
pub const PERSIAN_STEMS: [&str; 12] =
    ["البرز", "پارس", "کاسپین", "سپاهان", "زاگرس", "آریا", "نیک‌آفرین", "مهر", "کیهان", "خلیج فارس", "به‌ساز", "یزد"];

/// Lines of business in Persian.
pub const PERSIAN_TRADES: [&str; 6] = ["بازرگانی", "صنایع غذایی", "نساجی", "حمل‌ونقل", "پلاستیک", "کشاورزی"];

/// Given names in Persian.
pub const PERSIAN_FIRST: [&str; 12] =
    ["علی", "مریم", "رضا", "زهرا", "حسین", "فاطمه", "امیرحسین", "نرگس", "کیان", "پریسا", "محمدرضا", "یاسمن"];

/// Family names in Persian.
pub const PERSIAN_LAST: [&str; 12] =
    ["احمدی", "کریمی", "حسینی‌نژاد", "رضایی", "موسوی", "یوسفی", "شریف‌زاده", "کاظمی", "نوری", "صادقی", "جعفری", "ملکی"];

/// Places: street, sub-district, district, province, postal code.
pub const PLACES: [(&str, &str, &str, &str, &str); 10] = [
    ("ถนนสีลม", "สีลม", "บางรัก", "กรุงเทพมหานคร", "10500"),
    ("ถนนสุขุมวิท", "คลองเตย", "คลองเตย", "กรุงเทพมหานคร", "10110"),
    ("ถนนพระราม 9", "ห้วยขวาง", "ห้วยขวาง", "กรุงเทพมหานคร", "10310"),
    ("ถนนนิมมานเหมินท์", "สุเทพ", "เมืองเชียงใหม่", "เชียงใหม่", "50200"),
    ("ถนนมิตรภาพ", "ในเมือง", "เมืองขอนแก่น", "ขอนแก่น", "40000"),
    ("ถนนเพชรเกษม", "หาดใหญ่", "หาดใหญ่", "สงขลา", "90110"),
    ("ถนนเทพกระษัตรี", "ตลาดใหญ่", "เมืองภูเก็ต", "ภูเก็ต", "83000"),
    ("ถนนพหลโยธิน", "คลองหนึ่ง", "คลองหลวง", "ปทุมธานี", "12120"),
    ("ถนนสุขุมวิท", "แสนสุข", "เมืองชลบุรี", "ชลบุรี", "20130"),
    ("ถนนบางนา-ตราด", "บางพลีใหญ่", "บางพลี", "สมุทรปราการ", "10540"),
];

/// Positions and their departments.
pub const JOBS: [(&str, &str); 8] = [
    ("กรรมการผู้จัดการ", "ผู้บริหาร"),
    ("ผู้จัดการฝ่ายจัดซื้อ", "จัดซื้อ"),
    ("เจ้าหน้าที่จัดซื้อ", "จัดซื้อ"),
    ("สมุห์บัญชี", "บัญชี"),
    ("ผู้จัดการโรงงาน", "การผลิต"),
    ("Owner", "Management"),
    ("Purchasing Manager", "Purchasing"),
    ("Chief Accountant", "Accounting"),
];

/// The entry a number falls on, round and round.
pub fn at<T: Copy>(all: &[T], n: usize) -> Option<T> {
    all.get(n.checked_rem(all.len())?).copied()
}
