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

    [Fact]
    public void WithoutSecrets_WhatTheEdgeIsStartedWith_KeepsOnlyWhatIsNone()
    {
        string[] secrets = ["OllamaMax__Pull__Sources__0__Token", "ollamamax__pull__sources__own__password", "OllamaMax:Pull:Sources:1:User", "OllamaMax__ContentKeys__Keys", "OllamaMax__Keys__AdminKey", "OllamaMax__Webhooks__Secret", "OllamaMax__Webhooks__Urls__0", "HF_TOKEN", "hf_token"];

        Dictionary<string, string?> removed = new(WorkerLaunch.WithoutSecrets([.. secrets, "PATH", "OllamaMax__Pull__Hosts__0", "OllamaMax__Dispatch__MaxBacklog"]));

        removed.Keys.ShouldBe([.. secrets, LocalStorage.Setting, LocalSignalR.Setting], ignoreOrder: true);
        removed.Values.ShouldAllBe(value => value == null);
    }
}
