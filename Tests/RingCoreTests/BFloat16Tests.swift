import RingCore
import Testing

@Suite struct BFloat16Tests {
    @Test func everyPatternSurvivesTheWayThroughFloat() {
        for pattern in 0...UInt16.max {
            let value = Float(BFloat16(bitPattern: pattern))
            #expect(value.bitPattern == UInt32(pattern) << 16)
            let back = BFloat16(value).bitPattern
            if value.isNaN ? back != 0x7FC0 : back != pattern {
                Issue.record("\(pattern) became \(back)")
            }
        }
    }

    /// For each two neighbouring numbers, of either sign: what lies below the middle goes down, what lies above goes up,
    /// and the middle goes to the even one. The neighbour of the largest number is infinity.
    @Test func everyIntervalRoundsToNearestEven() {
        for sign in [UInt16(0), 0x8000] {
            for magnitude in UInt16(0)..<0x7F80 {
                let (below, above) = (magnitude | sign, (magnitude + 1) | sign)
                let start = UInt32(below) << 16
                let even = magnitude % 2 == 0 ? below : above
                let wanted: [(UInt32, UInt16)] = [
                    (0, below), (1, below), (0x7FFF, below), (0x8000, even), (0x8001, above), (0xFFFF, above),
                ]
                for (offset, expected) in wanted {
                    let rounded = BFloat16(Float(bitPattern: start + offset)).bitPattern
                    if rounded != expected {
                        Issue.record("\(start + offset) became \(rounded), not \(expected)")
                    }
                }
            }
        }
    }

    @Test func everyNaNBecomesTheCanonicalOne() {
        for bits in [
            0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FFF_FFFF, 0xFF80_0001, 0xFFC0_0000, 0xFFFF_FFFF,
        ] as [UInt32] {
            #expect(BFloat16(Float(bitPattern: bits)).bitPattern == 0x7FC0)
        }
    }

    @Test func comparesAsNumbersDo() {
        #expect(BFloat16(-0) == BFloat16(0))
        #expect(BFloat16(.nan) != BFloat16(.nan))
        #expect(BFloat16(1.5) == BFloat16(bitPattern: 0x3FC0))
        #expect(BFloat16(1) != BFloat16(2))
    }

    @Test func printsItsValue() {
        #expect("\(BFloat16(1.5))" == "1.5")
    }
}
