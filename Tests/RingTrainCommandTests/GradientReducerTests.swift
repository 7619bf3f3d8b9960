import Testing

@testable import RingTrainCommand

@Suite struct GradientReducerTests {
    /// An exchange that writes down what is asked of it.
    final class Recorder: GradientExchange {
        let rank = 0
        let worldSize = 2
        let traffic = Traffic()
        /// The offsets at which sums were started, and `wait` and `cancel` by the number of the sum.
        var events: [String] = []
        var failingWait: Int?
        var failingStart: Int?
        private var startCount = 0
        private let base: UnsafeMutablePointer<Float>

        init(gradient: FloatBuffer) {
            base = gradient.start
        }

        struct Refused: Error {}

        func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum {
            let number = startCount
            if number == failingStart { throw Refused() }
            startCount += 1
            let offset = elements.baseAddress! - base
            events.append("start \(offset)..<\(offset + elements.count)")
            return Sum(number: number, recorder: self)
        }

        struct Sum: PendingSum {
            let number: Int
            let recorder: Recorder

            func wait() throws {
                recorder.events.append("wait \(number)")
                if recorder.failingWait == number { throw Refused() }
            }

            func cancel() { recorder.events.append("cancel \(number)") }
        }

        func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) {}
        func sum(_ values: inout [Double]) {}
        func allGather(_ bytes: [UInt8]) -> [UInt8] { bytes + bytes }
    }

    @Test func sumsStartAsSoonAsBucketsAreComplete() throws {
        let gradient = FloatBuffer(count: 10)
        let recorder = Recorder(gradient: gradient)
        let reducer = GradientReducer(gradient: gradient, bucketBytes: 16, exchange: recorder)
        for firstSum in [0, 3] {
            recorder.events = []
            try reducer.fill(from: 7)
            #expect(recorder.events == [])
            try reducer.fill(from: 6)
            #expect(recorder.events == ["start 6..<10"])
            try reducer.fill(from: 5)
            #expect(recorder.events.count == 1)
            try reducer.fill(from: 0)
            #expect(recorder.events == ["start 6..<10", "start 2..<6", "start 0..<2"])
            try reducer.finish()
            #expect(
                recorder.events[3...] == ["wait \(firstSum)", "wait \(firstSum + 1)", "wait \(firstSum + 2)"])
        }
    }

    @Test func aFailedSumLeavesNoneInFlight() throws {
        let gradient = FloatBuffer(count: 10)
        let recorder = Recorder(gradient: gradient)
        do {
            let reducer = GradientReducer(gradient: gradient, bucketBytes: 16, exchange: recorder)
            try reducer.fill(from: 0)
            recorder.failingWait = 1
            #expect(throws: Recorder.Refused.self) { try reducer.finish() }
        }
        #expect(
            Array(recorder.events[3...]) == ["wait 0", "wait 1", "cancel 1", "cancel 2", "wait 1", "wait 2"])
    }

    @Test func aFailedStartLeavesNoneInFlight() {
        let gradient = FloatBuffer(count: 10)
        let recorder = Recorder(gradient: gradient)
        recorder.failingStart = 1
        do {
            let reducer = GradientReducer(gradient: gradient, bucketBytes: 16, exchange: recorder)
            #expect(throws: Recorder.Refused.self) { try reducer.fill(from: 0) }
        }
        #expect(recorder.events == ["start 6..<10", "cancel 0", "wait 0"])
    }

    @Test func sumsAreOverAllRanks() throws {
        for ranks in 1...5 {
            for count in [1, 3, 10] {
                let sums = try ThreadGroup.values(ranks: ranks) { exchange in
                    let gradient = FloatBuffer((0..<count).map { Float($0 * 10 + exchange.rank) })
                    let reducer = GradientReducer(gradient: gradient, bucketBytes: 8, exchange: exchange)
                    for offset in (0..<count).reversed() { try reducer.fill(from: offset) }
                    try reducer.finish()
                    return gradient.values
                }
                let expected = (0..<count).map { Float($0 * 10 * ranks + ranks * (ranks - 1) / 2) }
                #expect(sums.allSatisfy { $0 == expected })
            }
        }
    }
}
