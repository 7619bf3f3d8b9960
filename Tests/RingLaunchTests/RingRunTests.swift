import Foundation
import Testing

/// The built command, as a user runs it.
@Suite(.timeLimit(.minutes(3)))
struct RingRunTests {
    @Test func eachRankHasItsVariables() throws {
        let run = try ringrun(
            "-n", "3", "--", "sh", "-c",
            "echo $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE $MASTER_ADDR $MASTER_PORT "
                + "$RING_JOB_SECRET $MINE .$RING_STORE",
            environment: ["MINE": "kept", "RING_STORE": "file:///elsewhere", "RANK": "77"])
        #expect(run.status == 0)
        #expect(run.error == "")
        let lines = run.lines.sorted().map { $0.split(separator: " ").map(String.init) }
        try #require(lines.count == 3 && lines.allSatisfy { $0.count == 10 })
        for (rank, line) in lines.enumerated() {
            #expect(line[...5] == ["[\(rank)]", "\(rank)", "3", "\(rank)", "3", "127.0.0.1"])
            #expect((1024...65_535).contains(Int(line[6]) ?? 0))
            #expect(line[7].count == 64)
            #expect(line[8...] == ["kept", "."])
        }
        #expect(Set(lines.map { $0[6] + $0[7] }).count == 1)
        let again = try ringrun("-n", "1", "sh", "-c", "echo $RING_JOB_SECRET")
        #expect(again.output.contains(lines[0][7]) == false)
    }

    @Test func outputGoesWhereItWasWrittenTo() throws {
        let run = try ringrun(
            "-n", "2", "sh", "-c", "echo out; echo err >&2; printf last; printf ' %s' end >&2")
        #expect(run.lines.sorted() == ["[0] last", "[0] out", "[1] last", "[1] out"])
        #expect(run.output.hasSuffix("\n"))
        #expect(run.error.split(separator: "\n").sorted() == ["[0]  end", "[0] err", "[1]  end", "[1] err"])
    }

    @Test func theFirstRanksOutputCanStayAsItIs() throws {
        let run = try ringrun(
            "-n", "2", "--first-rank-plain", "sh", "-c",
            "[ $RANK = 1 ] && sleep 0.2; printf 'a%s\\n' $RANK; printf 'b%s' $RANK >&2")
        #expect(run.status == 0)
        #expect(run.output == "a0\n[1] a1\n")
        #expect(run.error == "b0[1] b1\n")
    }

    @Test func linesStayWhole() throws {
        let run = try ringrun(
            "-n", "4", "sh", "-c",
            "i=0; while [ $i -lt 2000 ]; do echo line $i of $RANK ends; i=$((i+1)); done")
        #expect(run.status == 0)
        var next = [0, 0, 0, 0]
        for line in run.lines {
            let rank = try #require(line.dropFirst().first?.wholeNumberValue)
            #expect(line == "[\(rank)] line \(next[rank]) of \(rank) ends")
            next[rank] += 1
        }
        #expect(next == [2000, 2000, 2000, 2000])
    }

    @Test func argumentsArePassedOnUntouched() throws {
        let run = try ringrun("-n", "1", "--", "printf", "<%s>\\n", "-n", "--help", "a b", "--", "", "*")
        #expect(run.output == "[0] <-n>\n[0] <--help>\n[0] <a b>\n[0] <-->\n[0] <>\n[0] <*>\n")
    }

    @Test func rankZeroReadsStandardInput() throws {
        let pipe = Pipe()
        let running = try Running(["-n", "2", "cat"], input: pipe.fileHandleForReading)
        pipe.fileHandleForWriting.write(Data("one\ntwo\n".utf8))
        try pipe.fileHandleForWriting.close()
        let run = running.finish()
        #expect(run.status == 0)
        #expect(run.output == "[0] one\n[0] two\n")
    }

    @Test(arguments: [
        ("exit 3", 3, "rank 1 ended with status 3"), ("exit 255", 255, "rank 1 ended with status 255"),
        ("kill -9 $$", 137, "rank 1 was killed by SIGKILL"),
        ("kill -ABRT $$", 134, "rank 1 was killed by SIGABRT"),
    ])
    func oneFailureEndsAll(script: String, status: Int32, message: String) throws {
        let run = try ringrun("-n", "3", "sh", "-c", "[ $RANK = 1 ] && { \(script); }; sleep 600")
        #expect(run.status == status)
        #expect(run.error == "ringrun: \(message)\n")
    }

    @Test func theFirstFailureCounts() throws {
        // Rank 0 fails only when it is asked to end, which is because rank 1 has failed.
        let run = try ringrun(
            "-n", "2", "sh", "-c", "if [ $RANK = 1 ]; then exit 7; fi; trap 'exit 9' TERM; sleep 600 & wait")
        #expect(run.status == 7)
        #expect(run.error == "ringrun: rank 1 ended with status 7\n")
    }

    @Test func whoeverIgnoresTheRequestIsKilled() throws {
        let run = try ringrun(
            "-n", "3", "--grace-period", "0.3", "sh", "-c",
            "[ $RANK = 1 ] && { sleep 0.3; exit 4; }; trap '' TERM; while :; do sleep 0.05; done")
        #expect(run.status == 4)
        #expect(run.error.contains("ringrun: rank 1 ended with status 4\n"))
        #expect(run.error.contains("ringrun: killing ranks 0, 2 after a grace period of 300 ms\n"))
    }

    @Test(arguments: [
        (SIGTERM, "TERM"), (SIGINT, "INT"), (SIGHUP, "HUP"), (SIGUSR1, "USR1"), (SIGUSR2, "USR2"),
    ])
    func signalsAreForwarded(signal: Int32, name: String) throws {
        let running = try Running([
            "-n", "2", "sh", "-c",
            "trap 'echo got \(name); exit 0' \(name); echo ready; while :; do sleep 0.02; done",
        ])
        try running.waitForLines(containing: "ready", count: 2)
        running.signal(signal)
        let run = running.finish()
        #expect(run.status == 0)
        #expect(
            run.lines.filter { $0.hasSuffix("got \(name)") }.sorted() == [
                "[0] got \(name)", "[1] got \(name)",
            ])
    }

    @Test func anInterruptedJobSaysSo() throws {
        let running = try Running(["-n", "2", "sh", "-c", "echo ready; exec sleep 600"])
        try running.waitForLines(containing: "ready", count: 2)
        running.signal(SIGINT)
        let run = running.finish()
        #expect(run.status == 130)
        #expect(run.error.contains("was killed by SIGINT\n"))
    }

    @Test func theSecondInterruptKills() throws {
        let running = try Running([
            "-n", "2", "--grace-period", "600", "sh", "-c",
            "trap 'echo no' INT; echo ready; while :; do sleep 0.02; done",
        ])
        try running.waitForLines(containing: "ready", count: 2)
        running.signal(SIGINT)
        try running.waitForLines(containing: "no", count: 2)
        running.signal(SIGINT)
        let run = running.finish()
        #expect(run.status == 137)
        #expect(run.error.contains("ringrun: killing ranks 0, 1 on the second SIGINT\n"))
    }

    /// A rank, a child of it, and one that ignores what can be ignored.
    private let family =
        "echo pid $$; sh -c 'trap \"\" TERM HUP INT; echo pid $$; while :; do sleep 0.05; done' & wait"

    @Test func nothingOutlivesAKilledLauncher() throws {
        let running = try Running(["-n", "2", "--grace-period", "0.2", "sh", "-c", family])
        try running.waitForLines(containing: "pid", count: 4)
        running.signal(SIGKILL)
        let run = running.finish()
        #expect(run.status == 137)
        let all = pids(run.output)
        try #require(all.count == 4)
        #expect(eventually { !all.contains(where: isAlive) })
    }

    @Test func nothingOutlivesAFailure() throws {
        let run = try ringrun(
            "-n", "2", "--grace-period", "0.2", "sh", "-c",
            "[ $RANK = 1 ] && { read x < /dev/null; sleep 0.3; exit 5; }; \(family)")
        #expect(run.status == 5)
        let all = pids(run.output)
        try #require(all.count == 2)
        #expect(eventually { !all.contains(where: isAlive) })
    }

    @Test func childrenThatARankLeavesBehindAreEnded() throws {
        let run = try ringrun("-n", "2", "sh", "-c", "sleep 600 & echo pid $!; exit 0")
        #expect(run.status == 0)
        let all = pids(run.output)
        try #require(all.count == 2)
        #expect(eventually { !all.contains(where: isAlive) })
    }

    @Test func aReaderThatLeavesEndsTheJob() throws {
        let shell = Process()
        let running = try Running(["-n", "1", "true"])
        _ = running.finish()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c", "\"$0\" -n 2 yes 2>/dev/null | head -n 3 > /dev/null", running.process.executableURL!.path,
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
    }

    @Test(arguments: [
        [], ["-n", "2"], ["-n", "0", "true"], ["-n", "-1", "true"], ["-n", "1025", "true"],
        ["-n", "x", "true"],
        ["true"], ["--unknown", "-n", "2", "true"], ["-n", "2", "--grace-period", "-1", "true"],
        ["-n", "2", "--unknown", "true"], ["-n", "2", "--"],
    ])
    func badUsage(arguments: [String]) throws {
        let run = try Running(arguments).finish()
        #expect(run.status == 64)
        #expect(run.error.uppercased().contains("USAGE: RINGRUN"))
        #expect(run.output == "")
    }

    @Test func help() throws {
        let run = try ringrun("--help")
        #expect(run.status == 0)
        #expect(run.output.contains("USAGE: ringrun -n N"))
    }

    @Test func commandsThatCannotRun() throws {
        let absent = try ringrun("-n", "2", "no-such-command")
        #expect(absent.status == 127)
        #expect(absent.error == "ringrun: command not found: no-such-command is in no directory of PATH\n")
        let path = try ringrun("-n", "2", "/no/such/file")
        #expect(path.status == 127)
        #expect(path.error == "ringrun: /no/such/file cannot be started: there is no such file\n")
        let data = try ringrun("-n", "2", "/etc/passwd")
        #expect(data.status == 126)
        let folder = try ringrun("-n", "2", "/etc")
        #expect(folder.status == 126)
    }

    @Test func aFileThatIsNoProgram() throws {
        let path = NSTemporaryDirectory() + "/ring-no-program-\(getpid())"
        try Data([1, 2, 3, 4]).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        chmod(path, 0o755)
        let run = try ringrun("-n", "2", path)
        #expect(run.status == 126)
        #expect(run.error == "ringrun: \(path) cannot be started: exec format error\n")
    }

    @Test func manyRanks() throws {
        let run = try ringrun("-n", "64", "sh", "-c", "echo $RANK")
        #expect(run.status == 0)
        #expect(run.lines.sorted() == (0..<64).map { "[\($0)] \($0)" }.sorted())
    }
}
