using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Cli.Models;
using OllamaMax.Inference.Packages;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Cli.Tests;

/// <summary>Files of this machine into the catalogue, and what becomes of them.</summary>
public sealed class PushTests(LocalSystemFixture local) : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Push_FolderOfASplitModel_CanBeAsked()
    {
        GgufGenerator.WriteSplit(_folder.Path, "split", new GgufSpec { Seed = 81 }, 3);

        var (code, output, errors) = await local.RunAsync("models", "push", _folder.Path, "pushed-split");

        (code, output).ShouldBe((ExitCode.Done, ""));
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => line.Split(" sha256:")[0])
            .ShouldBe(["hashing", "uploading", "verifying sha256 digest", "using existing layer", "writing manifest", "success"]);
        using Edge edge = new(local.System.BaseAddress, key: null);
        JsonObject request = new() { ["model"] = "pushed-split", ["prompt"] = "hello", ["raw"] = true, ["stream"] = false, ["options"] = new JsonObject { ["num_predict"] = 3 } };
        (await edge.PostAsync("api/generate", request, Cancellation)).Number("eval_count").ShouldBe(3);
        (await local.RunAsync("models", "push", _folder.File("split-00002-of-00003.gguf"), "again", "--json")).Output.ShouldNotContain("uploading");
    }

    [Fact]
    public async Task Push_EndedInBetween_SendsOnlyWhatIsNotThere()
    {
        string file = _folder.File("large.gguf");
        byte[] filler = new byte[35 << 20];
        new Random(82).NextBytes(filler);
        await File.WriteAllBytesAsync(file, [.. await File.ReadAllBytesAsync(Path.Combine(RepositoryRoot.Find(), "models", "demo", "ollamamax-demo.gguf"), Cancellation), .. filler], Cancellation);
        using Edge edge = new(local.System.BaseAddress, key: null);
        using CancellationTokenSource killed = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using CountedBlocks first = new(afterBlock: count =>
        {
            if (count == 2)
                killed.Cancel();
        });

        await Should.ThrowAsync<OperationCanceledException>(() => PushAsync(edge, first, file, killed.Token));
        using CountedBlocks second = new(afterBlock: _ => { });
        JsonElement[] lines = await PushAsync(edge, second, file, Cancellation);

        lines[^1].Text("status").ShouldBe("success");
        lines.First(line => line.Text("status") == "uploading").Number("completed").ShouldBe(first.Written * (double)BlockUpload.SizeFor(0));
        (first.Written + second.Written).ShouldBe(5);
        (await local.RunAsync("models", "list")).Output.ShouldContain("pushed-large");
    }

    [Fact]
    public async Task Push_WhatIsNoModel_SaysSoBeforeAnythingIsSent()
    {
        await File.WriteAllTextAsync(_folder.File("page.gguf"), "<!doctype html>", Cancellation);

        (await local.RunAsync("models", "push", _folder.File("page.gguf"), "a-page")).ShouldSatisfyAllConditions(
            end => end.Code.ShouldBe(ExitCode.Failed), end => end.Errors.ShouldContain("this is no GGUF file"), end => end.Errors.ShouldNotContain("hashing"));
        (await local.RunAsync("models", "push", _folder.File("nothing.gguf"), "nothing")).Code.ShouldBe(ExitCode.Failed);
    }

    [Theory]
    [InlineData(0, 8 << 20)]
    [InlineData(390L << 30, 8 << 20)]
    [InlineData(391L << 30, 9 << 20)]
    [InlineData(781L << 30, 16 << 20)]
    public void SizeFor_Length_GivesAtMostFiftyThousandBlocks(long length, int size)
    {
        BlockUpload.SizeFor(length).ShouldBe(size);
        ((length + size - 1) / size).ShouldBeLessThanOrEqualTo(50_000);
    }

    [Fact]
    public async Task Policy_SetInSteps_KeepsWhatIsNotNamed()
    {
        await local.RunAsync("models", "policy", "demo", "--min", "1", "--exclude", "site=x", "--exclude", "site=y", "--prefer", "gpu=a100");

        JsonElement policy = JsonElement.Parse((await local.RunAsync("models", "policy", "demo", "--pin", "--max", "3")).Output);
        string replicas = (await local.RunAsync("models", "replicas", "demo")).Output;
        string all = (await local.RunAsync("models", "replicas")).Output;
        (int refused, _, string error) = await local.RunAsync("models", "policy", "demo", "--max", "0");
        (int removed, _, _) = await local.RunAsync("models", "policy", "demo", "--remove");

        policy.ToString().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal).ShouldBe(
            """{"min_replicas":1,"max_replicas":3,"labels":{},"excluded_labels":{"site":["x","y"]},"preferred_labels":{"gpu":["a100"]},"warm":false,"pin":true,"priority":0}""");
        replicas.ShouldStartWith("WORKER");
        all.ShouldContain("demo:latest");
        (refused, removed).ShouldBe((ExitCode.Failed, ExitCode.Done));
        error.ShouldContain("max_replicas must not be less than min_replicas");
        (await local.RunAsync("models", "policy", "demo")).Code.ShouldBe(ExitCode.NotFound);
        (await local.RunAsync("models", "policy", "demo", "--label", "site")).Errors.ShouldContain("is no key=value");
    }

    private static async Task<JsonElement[]> PushAsync(Edge edge, CountedBlocks blocks, string file, CancellationToken cancellationToken)
    {
        using HttpClient storage = new(blocks, disposeHandler: false);
        List<JsonElement> lines = [];
        await foreach (JsonElement line in new ModelPush(edge, storage, TimeProvider.System).RunAsync(file, "pushed-large", cancellationToken))
            lines.Add(line);
        return [.. lines];
    }

    /// <summary>Counts the blocks that storage has taken; once that has ended the tool, it takes no more.</summary>
    private sealed class CountedBlocks(Action<int> afterBlock) : DelegatingHandler(new SocketsHttpHandler())
    {
        private readonly SemaphoreSlim _one = new(1);

        public int Written { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            bool isBlock = request.RequestUri!.Query.Contains("comp=block&", StringComparison.Ordinal);
            await _one.WaitAsync(cancellationToken);
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                HttpResponseMessage response = await base.SendAsync(request, CancellationToken.None);
                if (isBlock && response.IsSuccessStatusCode)
                    afterBlock(++Written);
                return response;
            }
            finally
            {
                _one.Release();
            }
        }
    }
}
