//! What the demo company sells: categories, and products with unit and price in baht.

/// English name, Thai name, unit, price.
type Article = (&'static str, &'static str, &'static str, i64);

/// Categories in English and Thai, with their products.
pub const CATALOG: [(&str, &str, [Article; 8]); 5] = [
    (
        "Beverages",
        "เครื่องดื่ม",
        [
            ("Jasmine tea 50 g", "ชามะลิ 50 กรัม", "box", 85),
            ("Oolong tea 100 g", "ชาอู่หลง 100 กรัม", "box", 160),
            ("Roasted coffee 250 g", "กาแฟคั่ว 250 กรัม", "bag", 220),
            ("Instant coffee 3 in 1", "กาแฟ 3 อิน 1", "pack", 135),
            ("Coconut water 330 ml", "น้ำมะพร้าว 330 มล.", "can", 28),
            ("Pineapple juice 1 l", "น้ำสับปะรด 1 ลิตร", "carton", 62),
            ("Lemongrass syrup 700 ml", "น้ำเชื่อมตะไคร้ 700 มล.", "bottle", 145),
            ("Drinking water 600 ml", "น้ำดื่ม 600 มล.", "bottle", 7),
        ],
    ),
    (
        "Rice and noodles",
        "ข้าวและเส้น",
        [
            ("Jasmine rice 5 kg", "ข้าวหอมมะลิ 5 กก.", "bag", 245),
            ("Sticky rice 5 kg", "ข้าวเหนียว 5 กก.", "bag", 210),
            ("Riceberry 1 kg", "ข้าวไรซ์เบอร์รี่ 1 กก.", "bag", 95),
            ("Brown rice 1 kg", "ข้าวกล้อง 1 กก.", "bag", 68),
            ("Rice vermicelli 200 g", "เส้นหมี่ 200 กรัม", "pack", 24),
            ("Glass noodles 200 g", "วุ้นเส้น 200 กรัม", "pack", 36),
            ("Egg noodles 500 g", "บะหมี่ไข่ 500 กรัม", "pack", 55),
            ("Rice flour 1 kg", "แป้งข้าวเจ้า 1 กก.", "bag", 48),
        ],
    ),
    (
        "Sauces",
        "ซอสและเครื่องปรุง",
        [
            ("Fish sauce 700 ml", "น้ำปลา 700 มล.", "bottle", 39),
            ("Oyster sauce 600 ml", "ซอสหอยนางรม 600 มล.", "bottle", 58),
            ("Light soy sauce 700 ml", "ซีอิ๊วขาว 700 มล.", "bottle", 46),
            ("Sriracha 570 g", "ซอสพริกศรีราชา 570 กรัม", "bottle", 72),
            ("Sweet chilli sauce 800 g", "น้ำจิ้มไก่ 800 กรัม", "bottle", 65),
            ("Green curry paste 400 g", "พริกแกงเขียวหวาน 400 กรัม", "tub", 88),
            ("Tamarind paste 450 g", "น้ำมะขามเปียก 450 กรัม", "jar", 54),
            ("Palm sugar 500 g", "น้ำตาลปี๊บ 500 กรัม", "pack", 42),
        ],
    ),
    (
        "Snacks",
        "ของว่าง",
        [
            ("Dried mango 100 g", "มะม่วงอบแห้ง 100 กรัม", "bag", 89),
            ("Banana chips 150 g", "กล้วยฉาบ 150 กรัม", "bag", 45),
            ("Cashew nuts 200 g", "เม็ดมะม่วงหิมพานต์ 200 กรัม", "bag", 150),
            ("Crispy seaweed 40 g", "สาหร่ายกรอบ 40 กรัม", "bag", 32),
            ("Durian crisps 75 g", "ทุเรียนกรอบ 75 กรัม", "bag", 139),
            ("Coconut rolls 120 g", "ทองม้วน 120 กรัม", "box", 60),
            ("Sesame crackers 200 g", "ขนมงาตัด 200 กรัม", "pack", 52),
            ("Rice crackers 100 g", "ข้าวตัง 100 กรัม", "bag", 38),
        ],
    ),
    (
        "Household",
        "ของใช้ในบ้าน",
        [
            ("Dish soap 750 ml", "น้ำยาล้างจาน 750 มล.", "bottle", 49),
            ("Laundry powder 3 kg", "ผงซักฟอก 3 กก.", "bag", 179),
            ("Floor cleaner 2 l", "น้ำยาถูพื้น 2 ลิตร", "bottle", 115),
            ("Paper towels 6 rolls", "กระดาษอเนกประสงค์ 6 ม้วน", "pack", 129),
            ("Bin bags 30 pieces", "ถุงขยะ 30 ใบ", "pack", 59),
            ("Citronella candle", "เทียนตะไคร้หอม", "piece", 75),
            ("Herbal soap 100 g", "สบู่สมุนไพร 100 กรัม", "piece", 35),
            ("Delivery service", "บริการจัดส่ง", "trip", 150),
        ],
    ),
];
