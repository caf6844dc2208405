create database if not exists shop;
use shop;
create table if not exists orders (
  id int primary key auto_increment,
  customer varchar(64) not null,
  item varchar(64) not null,
  amount decimal(8, 2) not null
);
insert into orders (customer, item, amount)
select concat('customer ', seq), concat('item ', seq * 7 mod 13), seq * 1.25 from seq_1_to_500;
