#include "bench/day/workload.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace wandian::bench {

namespace {

enum class Kind { breakfast, hot_dog, combo, snack, hot_drink, cold_drink, beer, dessert };

struct Offer {
  MenuItem item;
  Kind kind;
};

constexpr std::array<Offer, kMenuItems> kOffers = {{
    {{"Classic hot dog 经典热狗", 1500}, Kind::hot_dog},
    {{"Cheese dog 芝士热狗", 1800}, Kind::hot_dog},
    {{"Chili dog 辣肉酱热狗", 1900}, Kind::hot_dog},
    {{"Sichuan dog 川味热狗", 1900}, Kind::hot_dog},
    {{"Kimchi dog 泡菜热狗", 1800}, Kind::hot_dog},
    {{"Chicago dog 芝加哥热狗", 2200}, Kind::hot_dog},
    {{"Bacon dog 培根热狗", 2200}, Kind::hot_dog},
    {{"Beef dog 牛肉热狗", 2500}, Kind::hot_dog},
    {{"Chicken dog 鸡肉热狗", 1600}, Kind::hot_dog},
    {{"Veggie dog 素热狗", 1600}, Kind::hot_dog},
    {{"Foot-long dog 超长热狗", 2900}, Kind::hot_dog},
    {{"Mini dog 迷你热狗", 900}, Kind::hot_dog},
    {{"Family box 全家盒", 8800}, Kind::combo},
    {{"Lunch combo 午市套餐", 3200}, Kind::combo},
    {{"Dinner combo 晚市套餐", 3600}, Kind::combo},
    {{"Student combo 学生套餐", 2600}, Kind::combo},
    {{"Double combo 双人套餐", 5600}, Kind::combo},
    {{"Egg muffin 鸡蛋堡", 1200}, Kind::breakfast},
    {{"Sausage roll 香肠卷", 1000}, Kind::breakfast},
    {{"Pancake dog 煎饼热狗", 1400}, Kind::breakfast},
    {{"Congee 皮蛋瘦肉粥", 900}, Kind::breakfast},
    {{"Youtiao 油条", 500}, Kind::breakfast},
    {{"Fries 薯条", 900}, Kind::snack},
    {{"Large fries 大薯条", 1300}, Kind::snack},
    {{"Onion rings 洋葱圈", 1100}, Kind::snack},
    {{"Chicken wings 鸡翅", 1600}, Kind::snack},
    {{"Corn cup 玉米杯", 800}, Kind::snack},
    {{"Coleslaw 凉拌卷心菜", 700}, Kind::snack},
    {{"Soy milk 豆浆", 500}, Kind::hot_drink},
    {{"Coffee 咖啡", 1200}, Kind::hot_drink},
    {{"Latte 拿铁", 1600}, Kind::hot_drink},
    {{"Jasmine tea 茉莉花茶", 800}, Kind::hot_drink},
    {{"Cola 可乐", 700}, Kind::cold_drink},
    {{"Lemon tea 柠檬茶", 1000}, Kind::cold_drink},
    {{"Orange juice 橙汁", 1200}, Kind::cold_drink},
    {{"Water 矿泉水", 300}, Kind::cold_drink},
    {{"Draught beer 扎啤", 1500}, Kind::beer},
    {{"Ice cream 冰淇淋", 800}, Kind::dessert},
    {{"Egg tart 蛋挞", 700}, Kind::dessert},
    {{"Apple pie 苹果派", 900}, Kind::dessert},
}};

constexpr auto kMenu = [] {
  std::array<MenuItem, kMenuItems> items{};
  for (int i = 0; i < kMenuItems; ++i) items[i] = kOffers[i].item;
  return items;
}();

constexpr std::array<std::array<std::string_view, 4>, kRegions.size()> kCities = {{
    {"北京", "天津", "石家庄", "太原"},
    {"广州", "深圳", "南宁", "海口"},
    {"上海", "杭州", "南京", "苏州"},
    {"西安", "兰州", "宝鸡", "咸阳"},
    {"沈阳", "大连", "长春", "哈尔滨"},
    {"乌鲁木齐", "银川", "西宁", "喀什"},
    {"成都", "重庆", "昆明", "贵阳"},
    {"武汉", "长沙", "郑州", "南昌"},
}};

// In thousandths of the day.
constexpr std::array<double, 24> kHourlyProfile = {
    .004, .002, .001, .001, .001, .004, .014, .034, .045, .036, .050, .128,   // midnight to noon
    .150, .084, .042, .036, .044, .082, .104, .068, .034, .020, .010, .006};  // noon to midnight

//                                    breakfast hot_dog combo snack hot_drink cold_drink beer dessert
constexpr double kTaste[5][8] = {/* morning   */ {6, 1, 0.2, 0.5, 5, 1, 0, 0.5},
                                 /* lunch     */ {0.2, 4, 5, 3, 1.5, 4, 0.3, 1.5},
                                 /* afternoon */ {0.2, 2.5, 1, 3, 3, 4, 0.5, 4},
                                 /* dinner    */ {0.1, 4, 4, 3, 1, 3, 3, 2},
                                 /* night     */ {0.1, 5, 1, 4, 1, 2, 5, 1}};
//                                    1  2  3  4  5  6 lines
constexpr double kLineShares[5][kMostLines] = {{40, 38, 14, 5, 2, 1},
                                               {18, 28, 25, 15, 8, 6},
                                               {38, 32, 18, 7, 3, 2},
                                               {14, 24, 27, 18, 10, 7},
                                               {26, 30, 24, 12, 5, 3}};

}  // namespace

std::span<const MenuItem, kMenuItems> menu() { return kMenu; }

std::string_view city_of(int store_id) {
  const auto& cities = kCities[static_cast<std::size_t>(region_of(store_id))];
  return cities[static_cast<std::size_t>((store_id - 1) / static_cast<int>(kRegions.size())) % cities.size()];
}

std::span<const double, 24> hourly_profile() { return kHourlyProfile; }

OrderGenerator::DayPart OrderGenerator::part_of(int hour) {
  if (hour < 5 || hour >= 21) return DayPart::night;
  if (hour < 11) return DayPart::morning;
  if (hour < 14) return DayPart::lunch;
  return hour < 17 ? DayPart::afternoon : DayPart::dinner;
}

OrderGenerator::OrderGenerator(std::uint64_t seed, std::uint64_t orders, int stores, double zipf,
                               std::uint64_t first_request, std::array<std::int64_t, kMenuItems> prices)
    : random_(seed), first_request_(first_request), prices_(prices) {
  double before = 0;
  for (std::size_t hour = 0; hour < 24; ++hour) {
    hour_begins_[hour] = static_cast<std::uint64_t>(std::llround(before * static_cast<double>(orders)));
    before += kHourlyProfile[hour];
  }
  hour_begins_[24] = orders;

  for (std::size_t part = 0; part < 5; ++part) {
    std::vector<double> weights(kMenuItems);
    for (std::size_t i = 0; i < kMenuItems; ++i) weights[i] = kTaste[part][static_cast<std::size_t>(kOffers[i].kind)];
    items_[part] = WeightedChoice(weights);
    line_counts_[part] = WeightedChoice(std::vector<double>(kLineShares[part], kLineShares[part] + kMostLines));
  }

  // Ranks are dealt to stores at random, so that the popular ones are spread over regions and ids.
  const auto n = static_cast<std::size_t>(stores);
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random_.below(static_cast<std::uint32_t>(i))]);
  popularity_.resize(n);
  double sum = 0;
  for (std::size_t rank = 0; rank < n; ++rank)
    sum += popularity_[order[rank]] = std::pow(static_cast<double>(rank + 1), -zipf);
  for (double& share : popularity_) share /= sum;
  stores_ = WeightedChoice(popularity_);
}

int OrderGenerator::minute_of_day() const {
  const auto hour = static_cast<std::size_t>(hour_);
  const std::uint64_t begin = hour_begins_[hour], end = hour_begins_[hour + 1];
  const std::uint64_t into = made_ > begin ? made_ - begin : 0;
  return hour_ * 60 + (end > begin ? static_cast<int>(std::min<std::uint64_t>(59, into * 60 / (end - begin))) : 0);
}

void OrderGenerator::next(Order& order) {
  while (hour_ < 23 && made_ >= hour_begins_[static_cast<std::size_t>(hour_) + 1]) ++hour_;
  const auto part = static_cast<std::size_t>(part_of(hour_));
  order.store = stores_.draw(random_);
  order.request_id = first_request_ + made_++;
  const std::uint64_t bits = random_.next();
  order.customer_id = 1 + Random::scale(static_cast<std::uint32_t>(bits), kCustomers);

  // Of a thousand orders 965 are paid and kept, 5 are paid and then cancelled, 25 cancelled unpaid, 5 left unpaid.
  const std::uint32_t lot = Random::scale(static_cast<std::uint32_t>(bits >> 32), 1000);
  order.fate = lot < 965 ? Fate::pay : lot < 970 ? Fate::pay_then_cancel : lot < 995 ? Fate::cancel : Fate::leave;

  order.lines = static_cast<std::uint8_t>(line_counts_[part].draw(random_) + 1);
  order.total_cents = 0;
  std::uint64_t chosen = 0;
  std::uint64_t quantities = random_.next();
  for (std::size_t line = 0; line < order.lines; ++line) {
    std::uint32_t item;
    do {
      item = items_[part].draw(random_);
    } while ((chosen >> item & 1) != 0);   // an item stands on one line of an order
    chosen |= std::uint64_t{1} << item;
    const auto eighth = quantities & 7;    // one piece in six of eight lines, else two or three
    quantities >>= 3;
    const std::uint8_t quantity = eighth < 6 ? 1 : eighth == 6 ? 2 : 3;
    order.item[line] = static_cast<std::uint8_t>(item);
    order.quantity[line] = quantity;
    order.total_cents += prices_[item] * quantity;
  }
}

}  // namespace wandian::bench
