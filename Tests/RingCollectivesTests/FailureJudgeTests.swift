import RingCore
import RingTransport
import Testing

@testable import RingCollectives

/// The judge's verdicts, event by event, on a clock of the test's own.
@Suite struct FailureJudgeTests {
    // MARK: Departures and accusations

    @Test func aClosedLinkIsALossThatLetsOthersGoOn() throws {
        var court = Court(worldSize: 4)
        let verdict = try court.sentence(.closed(2))
        #expect(verdict.code == .peerLost)
        #expect(verdict.culprit == 2)
        #expect(!verdict.isUrgent)
        #expect(verdict.message.contains("rank 2 "))
    }

    @Test func whoSaidGoodbyeMayClose() {
        var court = Court(worldSize: 3)
        #expect(court.actions(.message(.goodbye, from: 1)).isEmpty)
        #expect(court.actions(.closed(1)).isEmpty)
        #expect(court.actions(.tick, after: .seconds(10)).isEmpty)
        #expect(court.judge.verdict == nil)
        // It is only that rank's goodbye.
        #expect(court.hear(.closed(2))?.culprit == 2)
    }

    @Test func aFailureIsPronouncedAtOnceAndUnchanged() {
        for isUrgent in [true, false] {
            var court = Court(worldSize: 3)
            let own = Verdict(code: .system, message: "rank 1: no memory", culprit: nil, isUrgent: isUrgent)
            #expect(court.actions(.message(.failed(own), from: 1)) == [.pronounce(own)])
            #expect(court.judge.verdict == own)
            #expect(court.judge.nextDeadline == nil)
        }
    }

    @Test func theFirstVerdictStands() {
        let later: [FailureJudge.Event] =
            [
                .closed(1), .tick, .message(.failed(Self.blame(3)), from: 2),
                .message(.suspect(3, Self.blame(3)), from: 2), .message(.goodbye, from: 2),
                .message(.stalled(Self.status(1, Self.sum)), from: 1),
                .message(.stalled(Self.status(1, Self.other)), from: 2),
                .message(.expiring(Self.status(1, Self.sum)), from: 1),
                .message(.status(1, Self.status(1, Self.other)), from: 2), .message(.probe(1), from: 2),
                .message(.verdict(Self.blame(3)), from: 2), .message(.ready, from: 2),
            ]
        for event in later {
            var court = Court(worldSize: 4)
            let first = Self.blame(1)
            #expect(court.hear(.message(.failed(first), from: 2)) == first)
            #expect(court.actions(event).isEmpty)
            #expect(court.actions(.tick, after: .seconds(100)).isEmpty)
            #expect(court.judge.verdict == first)
            #expect(court.judge.nextDeadline == nil)
        }
    }

    @Test func aSuspicionWaits300Milliseconds() {
        var court = Court(worldSize: 4)
        #expect(court.actions(.message(.suspect(3, Self.blame(3)), from: 1)).isEmpty)
        #expect(court.judge.nextDeadline == court.now.advanced(by: .milliseconds(300)))
        #expect(court.actions(.tick, after: .nanoseconds(299_999_999)).isEmpty)
        #expect(court.actions(.tick, after: .nanoseconds(1)) == [.pronounce(Self.blame(3))])
    }

    @Test func theFirstSuspicionCounts() {
        var court = Court(worldSize: 4)
        #expect(court.actions(.message(.suspect(3, Self.blame(3)), from: 1)).isEmpty)
        let due = court.judge.nextDeadline
        #expect(
            court.actions(.message(.suspect(1, Self.blame(1)), from: 2), after: .milliseconds(100)).isEmpty)
        #expect(court.judge.nextDeadline == due)
        #expect(court.hear(.tick, after: .seconds(1)) == Self.blame(3))
    }

    @Test func theAccusedsOwnWordWins() {
        var court = Court(worldSize: 4)
        #expect(court.actions(.message(.suspect(3, Self.blame(3)), from: 1)).isEmpty)
        // It failed because of somebody else.
        let own = Self.blame(0)
        #expect(court.hear(.message(.failed(own), from: 3), after: .milliseconds(299)) == own)
        #expect(court.actions(.tick, after: .seconds(1)).isEmpty)
    }

    @Test func theAccusedsClosedLinkWins() {
        var court = Court(worldSize: 4)
        #expect(court.actions(.message(.suspect(3, Self.blame(3)), from: 1)).isEmpty)
        let verdict = court.hear(.closed(3), after: .milliseconds(299))
        #expect(verdict?.culprit == 3)
        #expect(verdict?.isUrgent == false)
        #expect(verdict != Self.blame(3))
    }

    @Test func aDepartedRankIsAccusedAtOnce() throws {
        var court = Court(worldSize: 4)
        #expect(court.actions(.message(.goodbye, from: 2)).isEmpty)
        let verdict = try court.sentence(.message(.suspect(2, Self.blame(2)), from: 1))
        #expect(verdict.code == .peerLost)
        #expect(verdict.culprit == 2)
        #expect(verdict.isUrgent)
        #expect(verdict.message == "rank 2 has closed its communicator, and rank 1 still needs it")
    }

    // MARK: Stalled ranks

    @Test func stalledRanksOfOneMindMayGoOn() {
        var court = Court(worldSize: 4)
        for rank in 0..<4 {
            #expect(court.actions(.message(.stalled(Self.status(7, Self.sum)), from: rank)).isEmpty)
        }
        #expect(court.judge.nextDeadline == nil)
    }

    @Test func stalledRanksInDifferentOperationsAreNoMismatch() {
        // Nothing is known of the lagging rank's view of 9, nor of the leading one's of 7.
        var court = Court(worldSize: 3)
        #expect(court.actions(.message(.stalled(Self.status(7, Self.sum)), from: 1)).isEmpty)
        #expect(court.actions(.message(.stalled(Self.status(9, Self.other)), from: 2)).isEmpty)
        // One that has reported again counts with its latest report only.
        #expect(court.actions(.message(.stalled(Self.status(9, Self.other)), from: 1)).isEmpty)
    }

    @Test(arguments: [(1, 2), (2, 1), (0, 3), (3, 0)])
    func stalledRanksThatDisagreeAreBothQuoted(first: Rank, second: Rank) throws {
        var court = Court(worldSize: 4)
        let views = [first: Self.sum, second: Self.other]
        #expect(court.actions(.message(.stalled(Self.status(7, views[first])), from: first)).isEmpty)
        let verdict = try court.sentence(.message(.stalled(Self.status(7, views[second])), from: second))
        let (low, high) = (min(first, second), max(first, second))
        #expect(verdict.code == .mismatch)
        #expect(verdict.culprit == high)
        #expect(verdict.message.contains("operation 7: rank \(low) called \(views[low]!), "))
        #expect(verdict.message.contains("rank \(high) called \(views[high]!); "))
    }

    @Test func theOperationBeforeIsHeldAgainstTheOthers() throws {
        var court = Court(worldSize: 3)
        var ahead = Self.status(8, Self.sum)
        ahead.previous = Self.other
        #expect(court.actions(.message(.stalled(ahead), from: 1)).isEmpty)
        let verdict = try court.sentence(.message(.stalled(Self.status(7, Self.sum)), from: 2))
        #expect(verdict.code == .mismatch)
        #expect(
            verdict.message.contains("operation 7: rank 1 called \(Self.other), rank 2 called \(Self.sum)"))
    }

    @Test func anEqualOperationBeforeIsNoMismatch() {
        var court = Court(worldSize: 3)
        var ahead = Self.status(8, Self.other)
        ahead.previous = Self.sum
        #expect(court.actions(.message(.stalled(ahead), from: 1)).isEmpty)
        #expect(court.actions(.message(.stalled(Self.status(7, Self.sum)), from: 2)).isEmpty)
        // A rank between operations holds no view of the one that it has not called.
        #expect(court.actions(.message(.stalled(Self.status(8, nil)), from: 0)).isEmpty)
    }

    @Test(arguments: [
        ControlMessage.ready, .probe(1), .verdict(Self.blame(1)), .status(1, Self.status(1, Self.sum)),
        .expiring(Self.status(1, nil)),
    ])
    func whatNoMemberMaySayIsIgnored(message: ControlMessage) {
        var court = Court(worldSize: 3)
        #expect(court.actions(.message(message, from: 1)).isEmpty)
        #expect(court.judge.nextDeadline == nil)
        #expect(court.judge.verdict == nil)
    }
}

extension FailureJudgeTests {
    static let sum = OperationSignature(
        collective: .allReduce, dataType: .float32, op: .sum, elementCount: 1000, root: nil,
        algorithm: AlgorithmCode(name: "ring"))
    static let other = OperationSignature(
        collective: .broadcast, dataType: .int8, op: nil, elementCount: 5, root: 1,
        algorithm: AlgorithmCode(name: "binomial-tree"))

    static func blame(_ rank: Rank) -> Verdict {
        Verdict(code: .peerLost, message: "lost rank \(rank)", culprit: rank)
    }

    static func status(
        _ sequence: UInt64, _ signature: OperationSignature?, waitingFor: Rank? = nil, received: UInt64 = 0,
        remaining: UInt64 = 1000
    ) -> OperationStatus {
        OperationStatus(
            sequence: sequence, signature: signature, waitingFor: waitingFor, received: received,
            timeoutMilliseconds: 30_000, remainingMilliseconds: remaining)
    }
}

/// A judge and a clock that only the test moves.
struct Court {
    var judge: FailureJudge
    private(set) var now = Deadline.now

    init(worldSize: Int) {
        judge = FailureJudge(worldSize: worldSize)
    }

    /// What the judge does about an event that happens so much later.
    mutating func actions(_ event: FailureJudge.Event, after delay: Duration = .zero) -> [FailureJudge.Action]
    {
        now = now.advanced(by: delay)
        return judge.handle(event, at: now)
    }

    /// The verdict that an event leads to, if that is all that it leads to.
    mutating func hear(_ event: FailureJudge.Event, after delay: Duration = .zero) -> Verdict? {
        let actions = actions(event, after: delay)
        guard actions.count == 1, case .pronounce(let verdict) = actions[0] else { return nil }
        return verdict
    }

    /// Like ``hear(_:after:)``, where there must be a verdict.
    mutating func sentence(_ event: FailureJudge.Event, after delay: Duration = .zero) throws -> Verdict {
        let verdict = hear(event, after: delay)
        return try #require(verdict)
    }
}
