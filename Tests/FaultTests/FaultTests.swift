import Foundation
import RingProcessSupport
import Testing

/// Ranks as processes, one of which is killed or stopped: every survivor must name it, in time.
@Suite(.serialized)
struct FaultTests {
    enum Phase: String, CaseIterable {
        case idle
        case busy
    }

    /// The time that a loaded machine may take beyond what is promised.
    private static let slack = 4.0

    @Test(arguments: Phase.allCases, [0, 2])
    func killedRankIsNamed(phase: Phase, victim: Int) throws {
        let ranks = try startRanks(4, program: "fault-subject", mode: phase.rawValue, timeout: 60)
        try awaitReady(ranks)
        ranks[victim].signal(SIGKILL)
        // Two seconds for a closed connection; an idle rank learns of it at its next call, a second later.
        expectAll(ranks, name: victim, within: (phase == .idle ? 3 : 2) + Self.slack)
    }

    @Test(arguments: Phase.allCases, [0, 2])
    func stoppedRankIsNamed(phase: Phase, victim: Int) throws {
        // So little that it ends within its timeout also where a sanitizer slows everything down.
        let mode = phase == .busy ? "busy 1048576" : phase.rawValue
        let ranks = try startRanks(4, program: "fault-subject", mode: mode, timeout: 4)
        try awaitReady(ranks)
        ranks[victim].signal(SIGSTOP)
        expectAll(ranks, name: victim, within: 5 + Self.slack)
    }

    /// A process that ends is lost to all communicators to which it belonged, and to no other.
    @Test(arguments: [0, 3]) func killedRankFailsItsCommunicators(victim: Int) throws {
        let ranks = try startRanks(4, program: "fault-subject", mode: "parts", timeout: 60)
        try awaitReady(ranks)
        ranks[victim].signal(SIGKILL)
        let limit = Date(timeIntervalSinceNow: 3 + Self.slack)
        for rank in ranks where rank.rank != victim {
            func line(_ beginning: String) -> String? {
                rank.line(beginning: beginning, within: max(0, limit.timeIntervalSinceNow))
            }
            let isInHalf = rank.rank % 2 == victim % 2
            for (name, outcome) in [
                ("reversed", "\(victim):"), ("half", isInHalf ? "\(victim):" : "well"),
                ("peer", "\(victim):"),
            ] {
                let said = line(name == "peer" ? "peer" : name + ":")
                let expected = name == "peer" ? "peer \(outcome)" : "\(name): \(outcome)"
                #expect(said?.hasPrefix(expected) == true, "rank \(rank.rank) said: \(rank.transcript)")
            }
        }
    }

    @Test(arguments: [SIGKILL, SIGSTOP], [0, 10, 20, 40])
    func rankLostDuringStartUpIsNamed(signal: Int32, milliseconds: Int) throws {
        let ranks = try startRanks(4, program: "fault-subject", mode: "idle", timeout: 4, connectTimeout: 4)
        usleep(UInt32(milliseconds) * 1000)
        ranks[2].signal(signal)
        expectAll(ranks, name: 2, within: 9 + Self.slack)
    }

    @Test func sixtyFourRanksConnectAndReduce() throws {
        let ranks = try startRanks(
            64, program: "fault-subject", mode: "once", timeout: 50, connectTimeout: 50)
        let limit = Date(timeIntervalSinceNow: 60)
        for rank in ranks {
            let line = rank.line(beginning: "right", within: max(0, limit.timeIntervalSinceNow))
            #expect(line != nil, "rank \(rank.rank) said: \(rank.transcript)")
        }
    }
}
