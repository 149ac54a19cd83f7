using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost.Tests;

public sealed class WorkerLaunchTests
{
    [Fact]
    public void For_ChildOfOurs_KeepsTokenAndAccountOffItsCommandLine()
    {
        LocalHostOptions options = new() { Data = "/", EdgeUrl = new("http://localhost"), Context = 65536, DiskBudget = "20G", Forward = ["ollama=http://localhost:1"] };

        ChildCommand command = WorkerLaunch.For("worker-1", new("http://127.0.0.1:11434/"), "/data", "/replicas", "the-token", options);

        command.Arguments.Skip(1).ShouldBe(
            ["run", "--edge", "http://127.0.0.1:11434", "--data", "/data", "--replicas", "/replicas", "--name", "worker-1", "--drain-seconds", "0.5", "--stdin-lifeline", "--context", "65536", "--disk-budget", "20G", "--forward", "ollama=http://localhost:1"]);
        command.Environment["OLLAMAMAX_JOIN_TOKEN"].ShouldBe("the-token");
        command.Environment["AzureWebJobsStorage"].ShouldBeNull();
        File.Exists(command.FileName).ShouldBeTrue();
    }

    [Fact]
    public void ForAnotherBox_Ports_TunnelsEachOnce()
    {
        string line = WorkerLaunch.ForAnotherBox(new("http://127.0.0.1:11434/"), [10000, 10001, 10000], "t");

        line.ShouldStartWith("ssh -fN -L 11434:127.0.0.1:11434 -L 10000:127.0.0.1:10000 -L 10001:127.0.0.1:10001 ");
        line.ShouldEndWith("OLLAMAMAX_JOIN_TOKEN=t dotnet run --project src/GpuWorker -- run --edge http://127.0.0.1:11434");
    }
}
