import RingCore
import RingSystem
import RingTransport

/// The transports of one case, the time it has, and threads to use them from.
struct Ranks: Sendable {
    let transports: [any Transport]
    let deadline: Deadline

    /// Both ends of a link between two ranks, asked for by two threads.
    func pair(
        _ low: Rank = 0, _ high: Rank = 1, _ identifier: LinkIdentifier = LinkIdentifier(channel: 0)
    ) throws -> LinkPair {
        let ends = try atOnce(2) { index in
            let (own, peer) = index == 0 ? (low, high) : (high, low)
            return LinkEnd(try transports[own].link(to: peer, identifier, deadline: deadline))
        }
        return LinkPair(low: ends[0].link, high: ends[1].link)
    }

    /// Runs `body` on so many threads, and returns what they return; throws the first error.
    func atOnce<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        try Threads.run(count, until: deadline, body)
    }
}

/// Threads whose results are waited for.
enum Threads {
    private struct State<Value> {
        var results: [Int: Value] = [:]
        var error: (any Error)?
    }

    static func run<Value: Sendable>(
        _ count: Int, until deadline: Deadline, _ body: @escaping @Sendable (Int) throws -> Value
    ) throws -> [Value] {
        let state = Monitor(State<Value>())
        for index in 0..<count {
            _ = try SystemThread(name: "conformance-\(index)") {
                let result = Result { try body(index) }
                state.withLock(notifying: true) { state in
                    switch result {
                    case .success(let value): state.results[index] = value
                    case .failure(let error): state.error = state.error ?? error
                    }
                }
            }
        }
        // A little longer than the threads' own waits, which know better what is missing.
        let results = try state.wait(until: deadline.advanced(by: .seconds(2))) { state in
            if let error = state.error { throw error }
            return state.results.count == count ? state.results : nil
        }
        guard let results else {
            throw ConformanceFailure("a call blocked its thread: it still had not returned")
        }
        return (0..<count).map { results[$0]! }
    }
}

/// One end of a link on its way between threads.
struct LinkEnd: @unchecked Sendable {
    // Handed from the thread that made it to the one thread that uses it next.
    let link: any Link
    init(_ link: any Link) { self.link = link }
}

/// Both ends of a link.
final class LinkPair: @unchecked Sendable {
    // Each end is used by one thread at a time, as a case sees to; closing is allowed to all.
    let low: any Link
    let high: any Link

    init(low: any Link, high: any Link) {
        self.low = low
        self.high = high
    }

    /// The ends, the one under test first.
    func ends(swapped: Bool) -> (any Link, any Link) { swapped ? (high, low) : (low, high) }

    func close() {
        low.close()
        high.close()
    }
}

extension Link {
    /// Sleeps in the kernel until something may have changed. Throws once the deadline has passed.
    func sleep(for interest: LinkInterest, until deadline: Deadline, _ doing: @autoclosure () -> String)
        throws
    {
        if let descriptor = prepareToWait(for: interest) {
            var descriptors = [descriptor]
            try SystemCall.poll(&descriptors, milliseconds: deadline.remainingMilliseconds())
        }
        try expect(!deadline.hasPassed, "a link to rank \(peer) was not woken \(doing())")
    }
}
