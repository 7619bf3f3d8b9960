import Foundation
import RingCore
import Testing

@testable import RingLaunch

@Suite struct LinePrefixerTests {
    private func prefixed(_ pieces: [String], limit: Int = 100) -> String {
        var prefixer = LinePrefixer(rank: 2, limit: limit)
        var output: [UInt8] = []
        for piece in pieces { prefixer.take(Array(piece.utf8), into: &output) }
        prefixer.finish(into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func wholeLinesOnly() {
        #expect(prefixed(["a\nb\n"]) == "[2] a\n[2] b\n")
        #expect(prefixed(["\n\n"]) == "[2] \n[2] \n")
        #expect(prefixed(["no end"]) == "[2] no end\n")
        #expect(prefixed([]) == "")
        var prefixer = LinePrefixer(rank: 0)
        var output: [UInt8] = []
        prefixer.take(Array("held".utf8), into: &output)
        #expect(output.isEmpty)
    }

    /// However the text is cut, the same lines come out.
    @Test func anyCut() {
        let text = "first\n\nthird line\nlast"
        let whole = prefixed([text])
        for first in 0...text.count {
            for second in first...text.count {
                let characters = Array(text)
                let pieces = [characters[..<first], characters[first..<second], characters[second...]].map {
                    String($0)
                }
                #expect(prefixed(pieces) == whole)
            }
        }
    }

    @Test func longLinesAreCut() {
        #expect(prefixed(["abcdefghij\nk"], limit: 4) == "[2] abcd\n[2] efgh\n[2] ij\n[2] k\n")
        #expect(prefixed(["abcd\n"], limit: 4) == "[2] abcd\n")
        #expect(prefixed(["ab", "cd", "ef"], limit: 4) == "[2] abcd\n[2] ef\n")
    }
}

@Suite struct LaunchPolicyTests {
    private func policy(_ ranks: Int = 4, grace: Duration = .seconds(600)) -> LaunchPolicy {
        LaunchPolicy(ranks: ranks, gracePeriod: grace)
    }

    @Test func allWell() {
        var policy = policy(2)
        #expect(policy.ended([(0, .status(0))]) == [])
        #expect(!policy.areAllEnded)
        #expect(policy.ended([(1, .status(0))]) == [])
        #expect(policy.areAllEnded && policy.exitStatus == 0 && policy.killDeadline == nil)
    }

    @Test func theFirstFailureEndsTheOthers() {
        var policy = policy()
        #expect(policy.ended([(2, .status(3))]) == [.say("rank 2 ended with status 3"), .signal(SIGTERM)])
        #expect(policy.killDeadline != nil)
        #expect(policy.ended([(0, .signal(SIGTERM)), (1, .status(1)), (3, .status(0))]) == [])
        #expect(policy.areAllEnded && policy.exitStatus == 3)
    }

    @Test func ofSeveralAtATimeAKilledOneIsTheCause() {
        var policy = policy()
        let actions = policy.ended([(0, .status(1)), (1, .status(1)), (3, .signal(SIGKILL))])
        #expect(actions == [.say("rank 3 was killed by SIGKILL"), .signal(SIGTERM)])
        #expect(policy.exitStatus == 137)
    }

    @Test func theLastToEndNeedsNoSignal() {
        var policy = policy(1)
        #expect(policy.ended([(0, .status(9))]) == [.say("rank 0 ended with status 9")])
        #expect(policy.killDeadline == nil)
    }

    @Test func requestsToEnd() {
        for signal in [SIGINT, SIGTERM, SIGQUIT] {
            var policy = policy()
            #expect(policy.received(signal) == [.signal(signal)])
            #expect(policy.killDeadline != nil)
            // What ends because of it brings no further signal.
            #expect(policy.ended([(1, .signal(signal))]).filter { $0 == .signal(SIGTERM) } == [])
            let text = "killing ranks 0, 2, 3 on the second \(SignalName.text(signal))"
            #expect(policy.received(signal) == [.say(text), .signal(SIGKILL)])
            #expect(policy.hasKilled)
            #expect(policy.received(signal) == [])
        }
        var closed = policy()
        #expect(closed.received(SIGHUP) == [.signal(SIGHUP)])
        #expect(closed.received(SIGHUP) == [.signal(SIGHUP)])
        #expect(!closed.hasKilled)
    }

    @Test func userSignalsAreOnlyPassedOn() {
        var policy = policy()
        for _ in 0..<3 { #expect(policy.received(SIGUSR1) == [.signal(SIGUSR1)]) }
        #expect(policy.killDeadline == nil)
    }

    @Test func theGracePeriodEnds() {
        var policy = policy(2, grace: .zero)
        #expect(policy.checkTime() == [])
        _ = policy.received(SIGTERM)
        #expect(
            policy.checkTime() == [.say("killing ranks 0, 1 after a grace period of 0 s"), .signal(SIGKILL)])
        #expect(policy.checkTime() == [])
        var patient = self.policy(2)
        _ = patient.received(SIGTERM)
        #expect(patient.checkTime() == [])
    }

    @Test func childrenLeftBehind() {
        var policy = policy(1)
        _ = policy.ended([(0, .status(0))])
        #expect(policy.leftChildren() == [.signal(SIGTERM)])
        #expect(policy.leftChildren() == [])
    }

    @Test func endsOfProcesses() {
        #expect(ProcessEnd(waitStatus: 0) == .status(0))
        #expect(ProcessEnd(waitStatus: 3 << 8) == .status(3))
        #expect(ProcessEnd(waitStatus: 9) == .signal(9))
        #expect(ProcessEnd(waitStatus: 11 | 0x80) == .signal(11))
        #expect(ProcessEnd.signal(11).exitStatus == 139)
        #expect("\(ProcessEnd.signal(40))" == "was killed by signal 40")
    }
}

@Suite struct ExecutableSearchTests {
    @Test func searching() throws {
        #expect(try ExecutableSearch.path(of: "sh", searchPath: "/nowhere:/bin") == "/bin/sh")
        #expect(try ExecutableSearch.path(of: "/bin/sh", searchPath: "") == "/bin/sh")
        for (command, exists) in [
            ("sh", false), ("", false), ("/no/such", false), ("/etc/passwd", true), ("/etc", true),
        ] {
            do {
                _ = try ExecutableSearch.path(of: command, searchPath: "/nowhere")
                Issue.record("\(command) was found")
            } catch let error as CollectiveError {
                #expect(error.cause as? CommandNotStarted == CommandNotStarted(exists: exists))
            }
        }
        #expect(throws: CollectiveError.self) { try ExecutableSearch.path(of: "passwd", searchPath: "/etc") }
    }

    @Test func numbersOfRanks() {
        for ranks in [0, -1, LocalLauncher.mostRanks + 1] {
            #expect(throws: CollectiveError.self) {
                try LocalLauncher.run(ranks: ranks, executable: "true", arguments: [])
            }
        }
    }
}
