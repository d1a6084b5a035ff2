package seed

// culture is a stock of names that go together, and where their bearers live.
type culture struct {
	weight   int // how many of a hundred people, about
	language string
	given    []string
	family   []string
	// familyFirst puts the family name first where the whole name is written.
	familyFirst bool
}

// cultures are names that are frequent in official statistics and common lists.
var cultures = []culture{
	{weight: 18, language: "en-US",
		given:  []string{"James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "William", "Barbara", "Richard", "Susan", "Joseph", "Jessica", "Thomas", "Karen", "Daniel", "Sarah", "Matthew", "Nancy", "Anthony", "Lisa"},
		family: []string{"Smith", "Johnson", "Williams", "Brown", "Jones", "Miller", "Davis", "Wilson", "Anderson", "Taylor", "Moore", "Jackson", "Martin", "Lee", "Thompson", "White", "Harris", "Clark", "Lewis", "Robinson", "Walker", "Young", "O'Brien", "McCarthy"}},
	{weight: 8, language: "es-ES",
		given:  []string{"María", "José", "Carmen", "Antonio", "Ana", "Manuel", "Lucía", "Javier", "Sofía", "Íñigo", "Begoña", "Ángel", "Paula", "Raúl", "Elena", "Sergio"},
		family: []string{"García", "Rodríguez", "González", "Fernández", "López", "Martínez", "Sánchez", "Pérez", "Gómez", "Ibáñez", "Núñez", "Muñoz", "de la Cruz", "Vázquez", "Ortiz", "Álvarez"}},
	{weight: 6, language: "fr-FR",
		given:  []string{"Camille", "Léa", "Noémie", "François", "Zoé", "Élodie", "Benoît", "Hélène", "Jérôme", "Anaïs", "Mathéo", "Chloé", "Rémi", "Solène", "Loïc", "Maëlle"},
		family: []string{"Martin", "Bernard", "Dubois", "Lefèvre", "Moreau", "Laurent", "Michaud", "Garçon", "Béranger", "Chevalier", "Gauthier", "Perrin", "Rousseau", "D'Aubigné", "Blanchard", "Guérin"}},
	{weight: 6, language: "de-DE",
		given:  []string{"Jürgen", "Sabine", "Lukas", "Hannah", "Björn", "Käthe", "Maximilian", "Ute", "Felix", "Mia", "Jörg", "Annika", "Moritz", "Greta", "Sören", "Ulrike"},
		family: []string{"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Becker", "Schäfer", "Köhler", "Groß", "Böhm", "Vogel", "von der Heide", "Krüger", "Jäger", "Lange", "Strauß"}},
	{weight: 10, language: "hi-IN",
		given:  []string{"Aarav", "Priya", "Vivaan", "Ananya", "Arjun", "Diya", "Rohan", "Kavya", "Ishaan", "Meera", "Sanjay", "Lakshmi", "Rahul", "Sunita", "Vikram", "Nisha"},
		family: []string{"Sharma", "Patel", "Singh", "Kumar", "Gupta", "Reddy", "Iyer", "Nair", "Das", "Chatterjee", "Joshi", "Mehta", "Rao", "Verma", "Banerjee", "Pillai"}},
	{weight: 9, language: "zh-CN", familyFirst: true,
		given:  []string{"Wei", "Fang", "Min", "Jing", "Lei", "Yan", "Xiuying", "Qiang", "Na", "Jun", "Haoran", "Zihan", "Yuxuan", "Meiling", "Lü", "Tao"},
		family: []string{"Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Huang", "Zhao", "Wu", "Zhou", "Xu", "Sun", "Ma", "Zhu", "Lü", "Ouyang"}},
	{weight: 4, language: "ja-JP", familyFirst: true,
		given:  []string{"Haruto", "Yui", "Sōta", "Aoi", "Ren", "Hina", "Yūto", "Sakura", "Kaito", "Mei", "Daiki", "Emi", "Kenji", "Rin", "Shō", "Yōko"},
		family: []string{"Satō", "Suzuki", "Takahashi", "Tanaka", "Itō", "Watanabe", "Yamamoto", "Nakamura", "Kobayashi", "Katō", "Yoshida", "Saitō", "Ōno", "Matsumoto", "Inoue", "Kimura"}},
	{weight: 4, language: "ar-EG",
		given:  []string{"Mohamed", "Fatima", "Ahmed", "Aisha", "Omar", "Layla", "Youssef", "Mariam", "Khaled", "Nour", "Hassan", "Salma", "Tariq", "Huda", "Ibrahim", "Zeinab"},
		family: []string{"Al-Sayed", "Hassan", "Mahmoud", "El-Masry", "Abdel Rahman", "Farouk", "Nasser", "Haddad", "Khalil", "Mansour", "Saleh", "Aziz", "Bakr", "Shaheen", "Darwish", "Ghanem"}},
	{weight: 5, language: "en-NG",
		given:  []string{"Chinedu", "Ngozi", "Adebayo", "Folake", "Emeka", "Amaka", "Tunde", "Yetunde", "Ifeanyi", "Chioma", "Segun", "Zainab", "Obinna", "Adaeze", "Kelechi", "Bukola"},
		family: []string{"Okonkwo", "Adeyemi", "Okafor", "Balogun", "Eze", "Nwosu", "Ogunleye", "Ibrahim", "Chukwu", "Afolabi", "Obi", "Danjuma", "Adichie", "Olawale", "Nnamdi", "Bello"}},
	{weight: 5, language: "pt-BR",
		given:  []string{"João", "Beatriz", "Antônio", "Júlia", "Luís", "Conceição", "Caio", "Luísa", "Inácio", "Letícia", "Vinícius", "Marília", "Otávio", "Débora", "Thaís", "Rogério"},
		family: []string{"da Silva", "dos Santos", "Oliveira", "Souza", "Gonçalves", "Araújo", "Assunção", "Magalhães", "Simões", "Falcão", "Brandão", "Queirós", "Lemos", "Bragança", "Paixão", "Vilaça"}},
	{weight: 4, language: "ru-RU",
		given:  []string{"Александр", "Екатерина", "Дмитрий", "Анна", "Иван", "Ольга", "Сергей", "Мария", "Никита", "Татьяна", "Пётр", "Ксения"},
		family: []string{"Иванов", "Кузнецов", "Смирнов", "Попов", "Соколов", "Лебедев", "Козлов", "Новиков", "Морозов", "Волков", "Королёв", "Фёдоров"}},
	{weight: 3, language: "vi-VN", familyFirst: true,
		given:  []string{"Anh", "Hương", "Minh", "Thảo", "Tuấn", "Ngọc", "Hải", "Lan", "Dũng", "Phượng", "Đức", "Mai"},
		family: []string{"Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"}},
	{weight: 3, language: "tr-TR",
		given:  []string{"Mehmet", "Ayşe", "Mustafa", "Gülşen", "Çağlar", "Şule", "İbrahim", "Özlem", "Uğur", "Ümit", "Ebru", "Işıl"},
		family: []string{"Yılmaz", "Kaya", "Demir", "Çelik", "Şahin", "Öztürk", "Aydın", "Güneş", "Koç", "Kılıç", "Aslan", "Çetin"}},
	{weight: 3, language: "pl-PL",
		given:  []string{"Małgorzata", "Łukasz", "Agnieszka", "Krzysztof", "Żaneta", "Paweł", "Świętosława", "Michał", "Zofia", "Grzegorz", "Elżbieta", "Wojciech"},
		family: []string{"Nowak", "Kowalska", "Wiśniewski", "Wójcik", "Kowalczyk", "Kamińska", "Lewandowski", "Zieliński", "Szymańska", "Woźniak", "Dąbrowski", "Kozłowska"}},
	{weight: 3, language: "sv-SE",
		given:  []string{"Åsa", "Björn", "Linnéa", "Göran", "Märta", "Östen", "Elsa", "Håkan", "Maja", "Sixten", "Ylva", "Anders"},
		family: []string{"Andersson", "Johansson", "Öberg", "Åkesson", "Lindström", "Sjögren", "Nyström", "Bäckman", "Hägg", "Söderberg", "Ek", "Wikström"}},
	{weight: 3, language: "ko-KR", familyFirst: true,
		given:  []string{"민준", "서연", "도윤", "지우", "하준", "수아", "은우", "하은", "지훈", "예은", "현우", "유진"},
		family: []string{"김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오"}},
	{weight: 2, language: "el-GR",
		given:  []string{"Γιώργος", "Μαρία", "Νίκος", "Ελένη", "Κώστας", "Σοφία", "Δημήτρης", "Αγγελική", "Θανάσης", "Ζωή"},
		family: []string{"Παπαδόπουλος", "Γεωργίου", "Οικονόμου", "Νικολάου", "Βασιλείου", "Αθανασίου", "Δημητρίου", "Καραγιάννης", "Αλεξίου", "Σταύρου"}},
	{weight: 2, language: "id-ID", // one name is common there
		given:  []string{"Budi", "Siti", "Agus", "Dewi", "Eko", "Sri", "Joko", "Wahyu", "Rina", "Putu", "Made", "Ketut"},
		family: []string{"", "", "Santoso", "Wijaya", "Hidayat", "Lestari", "Setiawan", "Pratama", "Kusuma", "Nugroho", "Saputra", "Rahayu"}},
	{weight: 2, language: "mi-NZ",
		given:  []string{"Aroha", "Wiremu", "Mere", "Rāwiri", "Hēmi", "Ngaio", "Tāne", "Kiri", "Anahera", "Pāora"},
		family: []string{"Parata", "Ngata", "Tāmihana", "Rangi", "Te Kanawa", "Hēnare", "Pōtae", "Waititi", "Tūrei", "Kīngi"}},
}

// place is a town with what is customary there.
type place struct {
	country, region, town, postal, timezone, locale string
	street                                          string // with %d for the number
	phone                                           string // of the range that is reserved for fiction, with %s for its digits
	digits                                          int
}

// places have telephone numbers that their regulators keep for drama and examples.
var places = []place{
	{"US", "CA", "Oakland", "94607", "America/Los_Angeles", "en_US", "%d Harbor View Road", "+1 510 555 01%s", 2},
	{"US", "NY", "Albany", "12207", "America/New_York", "en_US", "%d Mill Pond Lane", "+1 518 555 01%s", 2},
	{"CA", "ON", "Toronto", "M5V 2T6", "America/Toronto", "en_CA", "%d Lakeshore Terrace", "+1 416 555 01%s", 2},
	{"GB", "England", "London", "EC1A 1BB", "Europe/London", "en_GB", "%d Clerkenwell Mews", "+44 20 7946 0%s", 3},
	{"IE", "Leinster", "Dublin", "D02 X285", "Europe/Dublin", "en_IE", "%d Liffey Row", "+353 20 910 %s", 4},
	{"FR", "Île-de-France", "Paris", "75011", "Europe/Paris", "fr_FR", "%d rue des Tilleuls", "+33 1 99 00 %s", 4},
	{"DE", "Berlin", "Berlin", "10115", "Europe/Berlin", "de_DE", "Lindenstraße %d", "+49 30 23125 %s", 3},
	{"SE", "Stockholm", "Stockholm", "111 29", "Europe/Stockholm", "sv_SE", "Björkgatan %d", "+46 8 465 004 %s", 2},
	{"AU", "NSW", "Sydney", "2000", "Australia/Sydney", "en_AU", "%d Banksia Street", "+61 2 5550 %s", 4},
	{"US", "TX", "Austin", "78701", "America/Chicago", "en_US", "%d Pecan Hollow", "+1 512 555 01%s", 2},
}

// unit is a department with its titles, the highest first.
type unit struct {
	name, division string
	titles         []string
}

var units = []unit{
	{"Engineering", "Product", []string{"Director of Engineering", "Engineering Manager", "Staff Engineer", "Senior Engineer", "Engineer"}},
	{"Quality", "Product", []string{"Head of Quality", "Test Lead", "Senior Test Engineer", "Test Engineer", "Test Engineer"}},
	{"Design", "Product", []string{"Head of Design", "Design Lead", "Senior Designer", "Designer", "Researcher"}},
	{"Sales", "Revenue", []string{"Sales Director", "Regional Manager", "Senior Account Executive", "Account Executive", "Sales Development Representative"}},
	{"Marketing", "Revenue", []string{"Marketing Director", "Campaign Manager", "Editor", "Marketing Specialist", "Marketing Assistant"}},
	{"Support", "Revenue", []string{"Head of Support", "Support Lead", "Senior Support Engineer", "Support Engineer", "Support Agent"}},
	{"Finance", "Operations", []string{"Controller", "Finance Manager", "Senior Accountant", "Accountant", "Clerk"}},
	{"People", "Operations", []string{"Head of People", "People Partner", "Recruiter", "People Specialist", "Coordinator"}},
	{"Legal", "Operations", []string{"General Counsel", "Senior Counsel", "Counsel", "Paralegal", "Legal Assistant"}},
	{"Facilities", "Operations", []string{"Facilities Manager", "Site Manager", "Technician", "Technician", "Receptionist"}},
	{"Manufacturing", "Supply", []string{"Plant Manager", "Shift Lead", "Machinist", "Operator", "Apprentice"}},
	{"Logistics", "Supply", []string{"Head of Logistics", "Warehouse Manager", "Planner", "Driver", "Picker"}},
}

// domains are reserved for documentation and tests (RFC 2606, RFC 6761).
var (
	workDomains = []string{"example.com", "example.com", "example.com", "example.org", "corp.example", "staff.test"}
	homeDomains = []string{"example.net", "home.example", "mail.test", "post.example"}
)
