import CRingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The ranges of a ``UserfaultWatch``, and the descriptor that the kernel's events are read from.
final class WatchedRanges: @unchecked Sendable {
    // The lock guards all that changes. What is done under it must not allocate, as the owner says: so the ranges are in
    // plain memory, and loops are plain too.
    private let lock: Monitor<State>
    private let ranges: UnsafeMutablePointer<Range>
    private let capacity: Int
    private let wakeUp: WakeUp
    private let polled: UnsafeMutablePointer<pollfd>
    private let pageSize = UInt64(PageMemory.systemPageSize)

    private struct State {
        var descriptor: Int32
        var isStopping = false
        /// How many ranges have gone and have not been removed.
        var goneCount = 0
        /// No range in use has this number or a higher one.
        var end = 0
    }

    private struct Range {
        var start: UInt64 = 0
        var end: UInt64 = 0
        var isGone = false
        /// What is certainly not there any more lies between these, and what else is not.
        var firstGone = UInt64.max
        var endGone: UInt64 = 0
        var isUsed: Bool { end > start }

        mutating func lose(from start: UInt64, to end: UInt64) {
            (firstGone, endGone) = (min(firstGone, max(start, self.start)), max(endGone, min(end, self.end)))
        }
    }

    init(capacity: Int) throws(SystemError) {
        wakeUp = try WakeUp()
        let descriptor = ring_memory_watch_open()
        self.capacity = capacity
        ranges = .allocate(capacity: capacity)
        ranges.initialize(repeating: Range(), count: capacity)
        lock = Monitor(State(descriptor: descriptor))
        polled = .allocate(capacity: 2)
        polled[0] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        polled[1] = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
        guard descriptor >= 0 else { throw SystemError("userfaultfd", -descriptor) }
    }

    deinit {
        close()
        ranges.deallocate()
        polled.deallocate()
    }

    /// Closes the descriptor: nobody waits any more.
    func close() {
        lock.withLock { state in
            if state.descriptor >= 0 { systemClose(state.descriptor) }
            state.descriptor = -1
        }
    }

    // MARK: Ranges

    /// Watches pages; their number. Nil if the kernel does not watch them, or would not always say when they go.
    func add(_ pages: UnsafeRawBufferPointer) -> Int? {
        let start = UInt64(UInt(bitPattern: pages.baseAddress))
        let end = start + UInt64(pages.count)
        guard ring_memory_is_shared(start, pageSize) == 0, ring_memory_is_shared(end - 1, pageSize) == 0
        else { return nil }
        return lock.withLock { state -> Int? in
            guard !state.isStopping else { return nil }
            var number = 0
            while number < capacity, ranges[number].isUsed { number += 1 }
            guard number < capacity,
                ring_memory_watch_add(state.descriptor, start, end - start) == 0
            else { return nil }
            ranges[number] = Range(start: start, end: end)
            state.end = max(state.end, number + 1)
            return number
        }
    }

    /// Watches a range no longer, except for what lies in others.
    func remove(_ number: Int) {
        lock.withLock { state in
            let range = ranges[number]
            if range.isGone { state.goneCount -= 1 }
            ranges[number] = Range()
            while state.end > 0, !ranges[state.end - 1].isUsed { state.end -= 1 }
            unwatch(range, state)
        }
    }

    /// Has the kernel watch a range no longer, except for what lies in others.
    ///
    /// What has gone may be others' memory by now, and watched for them: until Linux 6.16 that would end too. If it is not
    /// known what has gone just now, the range stays watched, which does no harm.
    private func unwatch(_ range: Range, _ state: borrowing State, isForced: Bool = false) {
        guard state.descriptor >= 0 else { return }
        if !isForced, isChanging(state) { return }
        unwatch(from: range.start, to: min(range.end, range.firstGone), state)
        unwatch(from: max(range.start, range.endGone), to: range.end, state)
    }

    private func unwatch(from start: UInt64, to end: UInt64, _ state: borrowing State) {
        var place = start
        while place < end {
            let (isWatched, next) = stretch(from: place, to: end, state)
            if !isWatched { _ = ring_memory_watch_remove(state.descriptor, place, next - place) }
            place = next
        }
    }

    /// Whether what begins at a place lies in a range, and where that is no longer so.
    private func stretch(
        from place: UInt64, to limit: UInt64, _ state: borrowing State
    ) -> (isWatched: Bool, end: UInt64) {
        var end = limit
        var number = 0
        while number < state.end {
            let range = ranges[number]
            number += 1
            if range.start <= place, place < range.end { return (true, min(limit, range.end)) }
            if range.isUsed, range.start > place { end = min(end, range.start) }
        }
        return (false, end)
    }

    func isGone(_ number: Int) -> Bool { lock.withLock { _ in ranges[number].isGone } }

    // MARK: Events

    /// What is known now; nil if something is changing of which it is not known yet.
    func look() -> MemoryNews? {
        lock.withLock { state -> MemoryNews? in
            guard state.descriptor >= 0 else { return state.goneCount > 0 ? .gone : .unchanged }
            // Asked first, since what is read afterwards was on its way then.
            let isChanging = isChanging(state)
            read(&state)
            guard !isChanging else { return nil }
            return state.goneCount > 0 ? .gone : .unchanged
        }
    }

    private func isChanging(_ state: borrowing State) -> Bool {
        let page = UInt64(UInt(bitPattern: ranges)) / pageSize * pageSize
        return ring_memory_watch_is_changing(state.descriptor, page, pageSize) != 0
    }

    /// Reads all events, and takes note of the ranges that they concern.
    private func read(_ state: inout State) {
        var (start, end): (UInt64, UInt64) = (0, 0)
        while true {
            let kind = ring_memory_watch_next(state.descriptor, &start, &end)
            guard kind != 0 else { return }
            var number = 0
            while number < state.end {
                if ranges[number].isUsed, ranges[number].start < end, start < ranges[number].end {
                    if !ranges[number].isGone { state.goneCount += 1 }
                    ranges[number].isGone = true
                    if kind == 1 { ranges[number].lose(from: start, to: end) }
                }
                number += 1
            }
        }
    }

    /// Ends ``readUntilStopped()``.
    func stop() {
        lock.withLock { $0.isStopping = true }
        wakeUp.set()
    }

    /// Reads events as they come, until it is stopped and nobody waits any more.
    ///
    /// Kernels are known that say for good that something is changing, after a change that has failed. So that is believed
    /// for a while only.
    func readUntilStopped() {
        var isStopping = false
        var (rounds, isForced) = (0, false)
        while true {
            // That it is to stop need not be said twice.
            if isStopping { polled[1].fd = -1 }
            _ = poll(polled, 2, isStopping ? 1 : -1)
            if isStopping { rounds += 1 }
            isForced = rounds > Self.mostRounds
            let isOver = lock.withLock { state in
                read(&state)
                isStopping = state.isStopping
                guard isStopping, isForced || !isChanging(state) else { return false }
                unwatchAll(&state, isForced: isForced)
                return isForced || !isChanging(state)
            }
            if isOver { return close() }
        }
    }

    /// For how many rounds of a millisecond, once it is to stop, it waits for changes to be over.
    private static let mostRounds = 1000

    /// Watches nothing any more. Closing the descriptor is not enough where a child of this process has it too.
    private func unwatchAll(_ state: inout State, isForced: Bool) {
        let end = state.end
        // Nothing lies in others then.
        state.end = 0
        var number = 0
        while number < end {
            if ranges[number].isUsed { unwatch(ranges[number], state, isForced: isForced) }
            number += 1
        }
        state.end = end
    }
}

// The system's function, under a name that the method above does not hide.
private func systemClose(_ descriptor: Int32) { _ = close(descriptor) }
