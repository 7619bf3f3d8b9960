import RingSystem

/// A watch whose memory goes when a test says so.
final class ScriptedWatch: MemoryWatch {
    private struct State {
        var ranges: [Int: (pages: Range<UInt>, isGone: Bool)] = [:]
        var lastNumber = 0
        var isChanging = false
        var isRefusing = false
        var isStopped = false
    }

    let capacity: Int
    private let state = Monitor(State())

    init(capacity: Int = 100) {
        self.capacity = capacity
    }

    /// That memory goes.
    func take(_ memory: UnsafeRawBufferPointer) {
        let start = UInt(bitPattern: memory.baseAddress)
        state.withLock { state in
            for (number, range) in state.ranges
            where range.pages.overlaps(start..<(start + UInt(memory.count))) {
                state.ranges[number]!.isGone = true
            }
        }
    }

    /// Whether it says that something is changing.
    func setChanging(_ isChanging: Bool) { state.withLock { $0.isChanging = isChanging } }

    /// Whether it watches no more memory.
    func setRefusing(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

    /// How many ranges it watches.
    var count: Int { state.withLock { $0.ranges.count } }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func add(_ pages: UnsafeRawBufferPointer) -> Int? {
        state.withLock { state in
            guard !state.isRefusing, state.ranges.count < capacity else { return nil }
            state.lastNumber += 1
            let start = UInt(bitPattern: pages.baseAddress)
            state.ranges[state.lastNumber] = (start..<(start + UInt(pages.count)), false)
            return state.lastNumber
        }
    }

    func remove(_ number: Int) { state.withLock { $0.ranges[number] = nil } }

    func look() -> MemoryNews {
        state.withLock { state in
            if state.isChanging { return .changing }
            return state.ranges.values.contains { $0.isGone } ? .gone : .unchanged
        }
    }

    func isGone(_ number: Int) -> Bool { state.withLock { $0.ranges[number]!.isGone } }

    func stop() { state.withLock { $0.isStopped = true } }
}
