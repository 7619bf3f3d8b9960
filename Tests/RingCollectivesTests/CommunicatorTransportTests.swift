import RingCore
import RingSystem
import RingTransport
import Testing

@testable import RingCollectives

/// The job's transport as its communicators use it, each for itself.
@Suite struct CommunicatorTransportTests {
    /// Rank 0 of a job of two, in memory, and how often the job has ended there.
    private final class Fixture: Sendable {
        let network = InMemoryNetwork(worldSize: 2)
        let job: Job
        let ends: Counter

        init() {
            let ends = Counter()
            self.ends = ends
            job = Job(transport: network.transport(for: 0), systems: ["here", "here"]) { ends.add() }
        }

        func transport(_ communicator: UInt32, _ members: [Rank] = [0, 1]) -> CommunicatorTransport {
            CommunicatorTransport(
                job: job,
                roster: Roster(
                    communicator: communicator, members: members, rank: members.firstIndex(of: 0)!))
        }
    }

    private static func error(of body: () throws -> Void) -> CollectiveError? {
        Result(catching: body).collectiveError
    }

    /// Asks for a link that the other rank never asks for.
    private static func wait(
        _ transport: CommunicatorTransport, within limit: Duration = .seconds(30)
    ) throws {
        let peer = transport.roster.members.firstIndex(of: 1)!
        let identifier = LinkIdentifier(communicator: transport.roster.communicator, channel: 0)
        _ = try transport.link(to: peer, identifier, deadline: .after(limit))
    }

    @Test func theJobEndsWithItsLastCommunicator() {
        let fixture = Fixture()
        let transports = [fixture.transport(0), fixture.transport(1), fixture.transport(2, [1, 0])]
        for (index, transport) in [transports[1], transports[0], transports[2]].enumerated() {
            #expect(fixture.ends.value == 0 && !fixture.network.isShutDown(0))
            transport.shutdown()
            transport.shutdown()
            #expect(fixture.ends.value == (index == 2 ? 1 : 0))
        }
        #expect(fixture.network.isShutDown(0))
    }

    /// Who is waited for in vain is named by the communicator's number, and by the job's where they differ.
    @Test func errorsNameTheRankBothWays() throws {
        let fixture = Fixture()
        let same = try #require(
            Self.error { try Self.wait(fixture.transport(1), within: .milliseconds(10)) })
        #expect(same.code == .timedOut && same.peer == 1)
        #expect(same.message == "rank 1 did not connect to rank 0 in time")
        let other = try #require(
            Self.error { try Self.wait(fixture.transport(2, [1, 0]), within: .milliseconds(10)) })
        #expect(other.code == .timedOut && other.peer == 0)
        #expect(
            other.message
                == "no link to rank 0; by the job's numbers, rank 1 did not connect to rank 0 in time")
    }

    @Test func anEndTouchesNoOther() throws {
        let fixture = Fixture()
        let (failing, closing, living) = (fixture.transport(1), fixture.transport(2), fixture.transport(3))
        failing.abort(CollectiveError(.mismatch, "the first cause", peer: 1))
        closing.shutdown()
        for _ in 0..<2 {
            #expect(Self.error { try Self.wait(failing) }?.message == "the first cause")
            #expect(Self.error { try Self.wait(closing) }?.code == .closed)
        }
        #expect(Self.error { try Self.wait(living, within: .milliseconds(10)) }?.code == .timedOut)
    }

    /// Ranks that connect as a part give up when the communicator has failed that they are a part of.
    @Test(arguments: [true, false]) func formingEndsWithTheWhole(isLate: Bool) throws {
        let fixture = Fixture()
        let reaction = FailureReaction(transport: fixture.transport(0))
        let part = fixture.transport(4, [1, 0])
        let verdict = Verdict(code: .peerLost, message: "rank 1 is gone", culprit: 1)
        if !isLate { reaction.react(to: verdict) }
        let failing = try SystemThread(name: "failing") {
            if isLate { reaction.react(to: verdict) }
        }
        let error = try #require(Self.error { try reaction.whileForming(part) { try Self.wait(part) } })
        failing.join(until: .after(.seconds(30)))
        #expect(error.code == .peerLost && error.peer == 0)
        #expect(error.message == "the communicator of which this is a part has failed: rank 1 is gone")
    }
}
