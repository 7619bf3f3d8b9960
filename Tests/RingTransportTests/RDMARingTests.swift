import RingTestSupport
import Testing

@testable import RingTransportRDMA

/// The two ends' accounts of a ring, without any device.
@Suite struct RDMARingTests {
    static let shapes = [
        RingShape(slotSize: 64, slotCount: 8), RingShape(slotSize: 4096, slotCount: 16),
        RingShape(slotSize: 256, slotCount: 33), RingShape(slotSize: 4096, slotCount: 256),
    ]

    @Test(arguments: [
        ImmediateValue.data(byteCount: 1, credit: 0), .data(byteCount: ImmediateValue.mostBytes, credit: 255),
        .data(byteCount: 4096, credit: 17), .credit(0), .credit(1), .credit(1 << 20), .end,
    ])
    func immediatesSurvive(_ value: ImmediateValue) {
        #expect(ImmediateValue(rawValue: value.rawValue) == value)
    }

    /// Whatever is written, taken, completed and given back in whatever order: no byte is written over that has not been
    /// taken, no receive is missing, and in the end there is room again.
    @Test(arguments: shapes, 0..<4 as Range<UInt64>)
    func keepsWithinTheRing(_ shape: RingShape, _ seed: UInt64) {
        var random = SplitMix64(state: seed)
        let sizes = RDMAConnection.queueSizes(for: shape, inlineBytes: 0)
        var window = SendWindow(shape: shape, entryCount: sizes.sends)
        var ring = ReceiveRing(shape: shape)
        var signaled: [UInt64] = []
        var unposted = 0
        var expected: [Range<Int>] = []
        var idle = 0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                guard window.room > 0 else { continue }
                let count = Int.random(in: 1...window.room, using: &random)
                let offset = window.offset
                let (number, isSignaled) = window.post(byteCount: count)
                #expect(number & 1 == 1)
                if isSignaled { signaled.append(number) } else { unposted += 1 }
                let hasRoom = ring.arrived(count)
                #expect(hasRoom)
                expected.append(offset..<(offset + count))
                idle += 1
            case 2, 3:
                guard let first = expected.first else { continue }
                #expect(ring.front == first)
                let count = Int.random(in: 1...first.count, using: &random)
                ring.take(count)
                if count == first.count {
                    expected.removeFirst()
                } else {
                    expected[0] = (first.lowerBound + count)..<first.upperBound
                }
            case 4:
                guard !signaled.isEmpty else { continue }
                window.completed(signaled.removeFirst())
            default:
                guard ring.unreported >= shape.smallCreditThreshold else { continue }
                // The receives are posted again before.
                idle = 0
                let isOwed = window.returned(ring.takeCredit(atMost: ImmediateValue.mostCredit))
                #expect(isOwed)
            }
            #expect(idle <= sizes.receives - RDMAConnection.extraReceives)
            #expect(window.freeEntries > 1)
        }
        while let first = expected.first {
            ring.take(first.count)
            expected.removeFirst()
        }
        while let number = signaled.first {
            window.completed(number)
            signaled.removeFirst()
        }
        #expect(ring.isEmpty)
        let isOwed = window.returned(ring.takeCredit())
        #expect(isOwed)
        let last = window.post(byteCount: 0, mustSignal: true)
        #expect(last.isSignaled)
        window.completed(last.number)
        #expect(window.isIdle)
        #expect(window.freeSlots == shape.slotCount)
    }

    @Test func refusesWhatTheRingHasNoRoomFor() {
        let shape = RingShape(slotSize: 64, slotCount: 8)
        var ring = ReceiveRing(shape: shape)
        func arrives(_ byteCount: Int) -> Bool { ring.arrived(byteCount) }
        #expect(!arrives(0))
        #expect(!arrives(8 * 64 + 1))
        #expect(arrives(7 * 64))
        // Around the end.
        #expect(!arrives(2 * 64))
        #expect(arrives(1))
        #expect(!arrives(1))
        ring.take(7 * 64)
        // Taken, and not given back yet.
        #expect(!arrives(1))
        let credit = ring.takeCredit()
        #expect(credit == 7)
        #expect(arrives(7 * 64))
    }

    @Test func refusesCreditForNothing() {
        var window = SendWindow(shape: RingShape(slotSize: 64, slotCount: 8), entryCount: 24)
        func takesBack(_ slots: Int) -> Bool { window.returned(slots) }
        #expect(!takesBack(1))
        _ = window.post(byteCount: 65)
        #expect(!takesBack(3))
        #expect(takesBack(2))
        #expect(!takesBack(1))
    }
}
