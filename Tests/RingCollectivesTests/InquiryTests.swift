import RingCore
import RingTransport
import Testing

@testable import RingCollectives

/// Whom the judge names when an operation does not end in time.
@Suite struct InquiryTests {
    private typealias Fixture = FailureJudgeTests
    private static let operation = "operation 7, \(FailureJudgeTests.sum),"

    /// A court in which a rank's deadline is near.
    private func opened(
        worldSize: Int, asker: Rank = 0, departed: [Rank] = [], status: OperationStatus? = nil
    ) -> Court {
        var court = Court(worldSize: worldSize)
        for rank in departed { #expect(court.actions(.message(.goodbye, from: rank)).isEmpty) }
        let status = status ?? Fixture.status(7, Fixture.sum, waitingFor: 1)
        #expect(
            court.actions(.message(.expiring(status), from: asker))
                == (0..<worldSize).filter { !departed.contains($0) }.map { .send(.probe(1), to: $0) })
        return court
    }

    /// Ranks answer probe 1, which settles nothing yet.
    private func answer(_ court: inout Court, _ answers: [Rank: OperationStatus]) {
        for (rank, status) in answers.sorted(by: { $0.key < $1.key }) {
            #expect(court.actions(.message(.status(1, status), from: rank)).isEmpty)
        }
    }

    // MARK: When

    @Test(arguments: [UInt64(250), 400, 1000, 60_000, .max])
    func aVerdictIsDueBeforeTheDeadline(remaining: UInt64) {
        let court = opened(
            worldSize: 3, status: Fixture.status(7, Fixture.sum, waitingFor: 1, remaining: remaining))
        let due = Duration.milliseconds(Int64(min(remaining, 1000))) * 9 / 10
        #expect(court.judge.nextDeadline == court.now.advanced(by: due))
    }

    @Test(arguments: [UInt64(0), 1, 249])
    func lateInquiriesLeaveTimeToAnswer(remaining: UInt64) {
        var court = opened(
            worldSize: 2, status: Fixture.status(7, Fixture.sum, waitingFor: 1, remaining: remaining))
        let start = court.now
        #expect(court.judge.nextDeadline == start.advanced(by: .milliseconds(500)))
        answer(&court, [0: Fixture.status(7, Fixture.sum, waitingFor: 1)])
        #expect(court.actions(.tick, after: .milliseconds(499)).isEmpty)
        #expect(court.hear(.tick, after: .milliseconds(1))?.culprit == 1)
    }

    @Test func onceAllHaveAnsweredOnlyTheDeadlineIsWaitedFor() {
        var court = opened(
            worldSize: 2, status: Fixture.status(7, Fixture.sum, waitingFor: 1, remaining: 0))
        // The deadline has passed, so the last answer settles it.
        #expect(
            court.hear(.message(.status(1, Fixture.status(7, nil)), from: 1), after: .milliseconds(10))?
                .culprit == 1)
        #expect(court.judge.nextDeadline == nil)
    }

    @Test func anEarlierDeadlineOfAnotherRankCounts() {
        var court = opened(worldSize: 3)
        let sooner = Fixture.status(7, Fixture.sum, waitingFor: 1, remaining: 100)
        #expect(court.actions(.message(.expiring(sooner), from: 2)).isEmpty)
        answer(&court, [1: Fixture.status(7, nil)])
        #expect(court.judge.nextDeadline == court.now.advanced(by: .milliseconds(90)))
        #expect(court.actions(.tick, after: .milliseconds(89)).isEmpty)
        #expect(court.hear(.tick, after: .milliseconds(1))?.culprit == 1)
    }

    @Test func aSuspicionDueSoonerIsWaitedForFirst() {
        var court = opened(worldSize: 3)
        #expect(court.actions(.message(.suspect(2, Fixture.blame(2)), from: 1)).isEmpty)
        #expect(court.judge.nextDeadline == court.now.advanced(by: .milliseconds(300)))
    }

    @Test func anOperationThatEndsAfterAllIsForgotten() {
        var court = opened(worldSize: 2)
        answer(&court, [0: Fixture.status(8, nil), 1: Fixture.status(8, nil)])
        #expect(court.actions(.tick, after: .seconds(2)).isEmpty)
        #expect(court.judge.verdict == nil)
        #expect(court.judge.nextDeadline == nil)
        // The next inquiry has a number of its own, and answers to the last one do not count.
        let next = Fixture.status(9, Fixture.sum, waitingFor: 1)
        #expect(
            court.actions(.message(.expiring(next), from: 0))
                == [.send(.probe(2), to: 0), .send(.probe(2), to: 1)])
        #expect(court.actions(.message(.status(1, next), from: 1)).isEmpty)
        #expect(court.hear(.tick, after: .seconds(1))?.message.hasPrefix("rank 1 does not respond") == true)
    }

    // MARK: Whom

    @Test func answersThatDisagreeAreAMismatchAtOnce() throws {
        var court = opened(worldSize: 3)
        let verdict = try court.sentence(.message(.status(1, Fixture.status(7, Fixture.other)), from: 2))
        #expect(verdict.code == .mismatch)
        #expect(verdict.culprit == 2)
        #expect(
            verdict.message.contains("rank 0 called \(Fixture.sum), rank 2 called \(Fixture.other); "))
    }

    @Test func theLaggingRankIsNamed() throws {
        var court = opened(worldSize: 3)
        answer(
            &court,
            [1: Fixture.status(7, Fixture.sum, waitingFor: 2), 2: Fixture.status(5, Fixture.other)])
        #expect(court.actions(.tick, after: .milliseconds(899)).isEmpty)
        let verdict = try court.sentence(.tick, after: .milliseconds(1))
        #expect(verdict.code == .timedOut)
        #expect(verdict.culprit == 2)
        #expect(
            verdict.message == "rank 2 has not called \(Self.operation) within 30 s "
                + "(rank 2 is in operation 5, \(Fixture.other))")
    }

    @Test func laggingRanksAreNamedAndTheLastOneIsToBlame() throws {
        var court = opened(worldSize: 4)
        answer(
            &court,
            [
                1: Fixture.status(7, nil), 2: Fixture.status(7, Fixture.sum, waitingFor: 1),
                3: Fixture.status(6, nil),
            ])
        let verdict = try court.sentence(.tick, after: .seconds(1))
        #expect(verdict.culprit == 3)
        #expect(
            verdict.message == "ranks 1, 3 have not called \(Self.operation) within 30 s "
                + "(rank 3 is in none; operation 6 would be its next)")
    }

    @Test func aDepartedRankIsNamed() throws {
        var court = opened(worldSize: 4, departed: [2])
        answer(
            &court,
            [
                1: Fixture.status(7, Fixture.sum, waitingFor: 2),
                3: Fixture.status(7, Fixture.sum, waitingFor: 1),
            ])
        let verdict = try court.sentence(.tick, after: .seconds(1))
        #expect(verdict.code == .peerLost)
        #expect(verdict.culprit == 2)
        #expect(
            verdict.message
                == "rank 2 has closed its communicator: \(Self.operation) did not end within 30 s")
    }

    @Test func aGoodbyeDuringTheInquiryIsAnAnswer() {
        var court = opened(
            worldSize: 2, status: Fixture.status(7, Fixture.sum, waitingFor: 1, remaining: 0))
        #expect(court.hear(.message(.goodbye, from: 1))?.culprit == 1)
    }

    /// Each case: what ranks 0... have received and whom they wait for; who is to blame, and who waits for him.
    @Test(arguments: [
        // Rank 1 is next to the link that stopped; the others starve behind it.
        ([(30, 3), (10, 0), (20, 1), (25, 2)], 0, 1),
        // Two that are equally far behind: the one that waits for neither of them.
        ([(30, 3), (10, 2), (10, 3), (25, 2)], 3, 2),
        // All wait in a circle.
        ([(5, 1), (5, 2), (5, 0)], 1, 0),
    ])
    func theRankThatAllWaitForIsNamed(received: [(Int, Rank)], culprit: Rank, waiting: Rank) throws {
        let statuses = received.map {
            Fixture.status(7, Fixture.sum, waitingFor: $0.1, received: UInt64($0.0))
        }
        var court = opened(worldSize: statuses.count, status: statuses[0])
        for rank in 1..<statuses.count { answer(&court, [rank: statuses[rank]]) }
        let verdict = try court.sentence(.tick, after: .seconds(1))
        #expect(verdict.code == .timedOut)
        #expect(verdict.culprit == culprit)
        #expect(
            verdict.message.hasPrefix(
                "\(Self.operation) did not end within 30 s, though all ranks have called it"))
        #expect(verdict.message.contains("rank \(waiting) waits for rank \(culprit) "))
    }

    @Test func nobodyIsToBlameIfNobodyIsWaitedFor() throws {
        var court = opened(worldSize: 2, status: Fixture.status(7, Fixture.sum))
        answer(&court, [1: Fixture.status(7, Fixture.sum)])
        let verdict = try court.sentence(.tick, after: .seconds(1))
        #expect(verdict.culprit == nil)
        #expect(verdict.message.contains("rank 0 waits for nobody "))
    }

    @Test(arguments: [
        (4, [2], "rank 2 does"), (4, [1, 3], "ranks 1, 3 do"),
        (9, Array(1...8), "ranks 1, 2, 3, 4, 5, 6, 7, 8 do"),
        (12, Array(1...9), "ranks 1, 2, 3, 4, 5, 6, 7, 8 and 1 more do"),
        (40, Array(3...39), "ranks 3, 4, 5, 6, 7, 8, 9, 10 and 29 more do"),
    ])
    func silentRanksAreNamed(worldSize: Int, silent: [Rank], text: String) throws {
        var court = opened(worldSize: worldSize)
        for rank in 1..<worldSize where !silent.contains(rank) {
            answer(&court, [rank: Fixture.status(7, Fixture.sum, waitingFor: silent[0])])
        }
        let verdict = try court.sentence(.tick, after: .milliseconds(900))
        #expect(verdict.code == .timedOut)
        #expect(verdict.culprit == silent[0])
        #expect(verdict.message.hasPrefix("\(text) not respond ("))
        #expect(verdict.message.hasSuffix(": \(Self.operation) did not end within 30 s"))
    }

    @Test func silenceWeighsMoreThanLaggingOrLeaving() {
        var court = opened(worldSize: 4, departed: [3])
        answer(&court, [1: Fixture.status(6, nil)])
        #expect(court.hear(.tick, after: .seconds(1))?.culprit == 2)
    }
}
