;; Finds the pages of an interpreter's memory that are not what they were, by reading them once.
;;
;; A page's digest is NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC", CRYPTO 1999; 32-bit words, products of 64 bits)
;; over stripes of 128 bytes, whose sums are carried on as sum := sum * 8193. Keys are random numbers in a memory of its own.
(module
  (memory $guest (import "guest" "memory") 1 65536)
  ;; 128 bytes of keys; then, for each page of the guest, 16 bytes of digest; and a list of pages.
  (memory $own (export "memory") 1 65536)

  ;; Compares $pages pages from $page on with their digests from $digest on, and writes the numbers of those that differ to
  ;; $list. Returns the end of the list. Where $list is 0, the digests are noted instead.
  (func (export "compare") (param $page i32) (param $pages i32) (param $digest i32) (param $list i32) (result i32)
    (local $at i32)
    (local $k0 v128) (local $k1 v128) (local $k2 v128) (local $k3 v128)
    (local $k4 v128) (local $k5 v128) (local $k6 v128) (local $k7 v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $x v128) (local $y v128)
    (local.set $k0 (v128.load $own offset=0 (i32.const 0)))
    (local.set $k1 (v128.load $own offset=16 (i32.const 0)))
    (local.set $k2 (v128.load $own offset=32 (i32.const 0)))
    (local.set $k3 (v128.load $own offset=48 (i32.const 0)))
    (local.set $k4 (v128.load $own offset=64 (i32.const 0)))
    (local.set $k5 (v128.load $own offset=80 (i32.const 0)))
    (local.set $k6 (v128.load $own offset=96 (i32.const 0)))
    (local.set $k7 (v128.load $own offset=112 (i32.const 0)))
    (local.set $at (i32.shl (local.get $page) (i32.const 12)))
    (loop $next_page
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (local.set $c (v128.const i64x2 0 0))
      (local.set $d (v128.const i64x2 0 0))
      (loop $next_stripe
        (local.set $a (i64x2.add (local.get $a) (i64x2.shl (local.get $a) (i32.const 13))))
        (local.set $b (i64x2.add (local.get $b) (i64x2.shl (local.get $b) (i32.const 13))))
        (local.set $c (i64x2.add (local.get $c) (i64x2.shl (local.get $c) (i32.const 13))))
        (local.set $d (i64x2.add (local.get $d) (i64x2.shl (local.get $d) (i32.const 13))))

        (local.set $x (i32x4.add (v128.load $guest offset=0 (local.get $at)) (local.get $k0)))
        (local.set $y (i32x4.add (v128.load $guest offset=16 (local.get $at)) (local.get $k1)))
        (local.set $a (i64x2.add (local.get $a) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $y))))
        (local.set $b (i64x2.add (local.get $b) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $y))))

        (local.set $x (i32x4.add (v128.load $guest offset=32 (local.get $at)) (local.get $k2)))
        (local.set $y (i32x4.add (v128.load $guest offset=48 (local.get $at)) (local.get $k3)))
        (local.set $c (i64x2.add (local.get $c) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $y))))
        (local.set $d (i64x2.add (local.get $d) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $y))))

        (local.set $x (i32x4.add (v128.load $guest offset=64 (local.get $at)) (local.get $k4)))
        (local.set $y (i32x4.add (v128.load $guest offset=80 (local.get $at)) (local.get $k5)))
        (local.set $a (i64x2.add (local.get $a) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $y))))
        (local.set $b (i64x2.add (local.get $b) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $y))))

        (local.set $x (i32x4.add (v128.load $guest offset=96 (local.get $at)) (local.get $k6)))
        (local.set $y (i32x4.add (v128.load $guest offset=112 (local.get $at)) (local.get $k7)))
        (local.set $c (i64x2.add (local.get $c) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $y))))
        (local.set $d (i64x2.add (local.get $d) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $y))))

        (local.set $at (i32.add (local.get $at) (i32.const 128)))
        (br_if $next_stripe (i32.and (local.get $at) (i32.const 4095))))

      ;; Each of the four sums has its own odd factor: 1, 2^13 + 1, 2^7 + 1, 2^20 + 1.
      (local.set $b (i64x2.add (local.get $b) (i64x2.shl (local.get $b) (i32.const 13))))
      (local.set $c (i64x2.add (local.get $c) (i64x2.shl (local.get $c) (i32.const 7))))
      (local.set $d (i64x2.add (local.get $d) (i64x2.shl (local.get $d) (i32.const 20))))
      (local.set $a (i64x2.add (i64x2.add (local.get $a) (local.get $b)) (i64x2.add (local.get $c) (local.get $d))))
      (if (i32.eqz (local.get $list))
        (then (v128.store $own (local.get $digest) (local.get $a)))
        (else
          (if (v128.any_true (v128.xor (local.get $a) (v128.load $own (local.get $digest))))
            (then
              (i32.store $own (local.get $list) (local.get $page))
              (local.set $list (i32.add (local.get $list) (i32.const 4)))))))
      (local.set $digest (i32.add (local.get $digest) (i32.const 16)))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (local.set $pages (i32.sub (local.get $pages) (i32.const 1)))
      (br_if $next_page (local.get $pages)))
    (local.get $list)))
