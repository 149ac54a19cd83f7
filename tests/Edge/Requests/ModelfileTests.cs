using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Requests;

/// <summary>What a Modelfile says, where the request says nothing.</summary>
public sealed class ModelfileTests
{
    private static readonly ModelView Pirate = FixedModels.Able with
    {
        Name = ModelName.Parse("pirate"),
        Template = "{{ messages }}",
        Modelfile = new()
        {
            Parent = "able",
            System = "Arr.",
            Messages = [new("user", "Who?"), new("assistant", "Me.")],
            Parameters = new() { Temperature = 0.25f, NumPredict = 7, Seed = 5, Stop = ["Yo"] },
            License = ["Free.", "Really."],
        },
    };

    [Theory]
    [InlineData("/api/chat", """{"messages":[{"role":"user","content":"Hi"}]}""", "<system>Arr.<user>Who?<assistant>Me.<user>Hi<assistant>")]
    [InlineData("/api/chat", """{"messages":[{"role":"system","content":"Aye."},{"role":"user","content":"Hi"}]}""", "<system>Aye.<user>Who?<assistant>Me.<user>Hi<assistant>")]
    [InlineData("/api/chat", """{"messages":[{"role":"system","content":"Aye."},{"role":"system","content":"Aye!"},{"role":"user","content":"Hi"}]}""", "<system>Aye.\n\nAye!<user>Who?<assistant>Me.<user>Hi<assistant>")]
    [InlineData("/api/generate", """{"prompt":"Hi"}""", "<system>Arr.<user>Who?<assistant>Me.<user>Hi<assistant>")]
    [InlineData("/api/generate", """{"prompt":"Hi","system":"Aye."}""", "<system>Aye.<user>Who?<assistant>Me.<user>Hi<assistant>")]
    [InlineData("/api/generate", """{"prompt":"Hi","raw":true}""", "Hi")]
    public async Task Request_OfAModelWithModelfile_BeginsWithItsMessages(string path, string request, string prompt)
    {
        await using EdgeServer edge = await StartAsync();

        (await PromptOfAsync(edge, path, request)).ShouldEndWith(prompt);
    }

    [Fact]
    public async Task Request_WithoutOptions_HasTheModelfiles()
    {
        await using EdgeServer edge = await StartAsync();
        await PromptOfAsync(edge, "/api/chat", """{"messages":[{"role":"user","content":"Hi"}],"options":{"num_predict":9}}""", job =>
        {
            job.Options.Temperature.ShouldBe(0.25f);
            job.Options.NumPredict.ShouldBe(9);
            job.Seed.ShouldBe(5ul);
            job.Stop.ShouldBe(["Yo"]);
        });
        await PromptOfAsync(edge, "/api/chat", """{"messages":[{"role":"user","content":"Hi"}],"options":{"stop":[],"temperature":1}}""", job =>
        {
            job.Options.Temperature.ShouldBe(1);
            job.Stop.ShouldBeEmpty();
        });
    }

    [Fact]
    public async Task Show_ModelWithModelfile_WritesIt()
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/show", """{"model":"pirate"}""");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        JsonElement shown = JsonElement.Parse(await response.TextAsync());
        shown.GetProperty("license").GetString().ShouldBe("Free.\nReally.");
        shown.GetProperty("parameters").GetString().ShouldBe(
            "num_predict                    7\ntemperature                    0.25\nseed                           5\nstop                           \"Yo\"");
        shown.GetProperty("system").GetString().ShouldBe("Arr.");
        shown.GetProperty("details").GetProperty("parent_model").GetString().ShouldBe("able");
        shown.GetProperty("messages")[1].GetProperty("content").GetString().ShouldBe("Me.");
        shown.GetProperty("modelfile").GetString()!.ShouldEndWith(
            "PARAMETER stop                           \"Yo\"\nLICENSE \"\"\"Free.\"\"\"\nLICENSE \"\"\"Really.\"\"\"\nMESSAGE user \"\"\"Who?\"\"\"\nMESSAGE assistant \"\"\"Me.\"\"\"\n");
    }

    private static async Task<EdgeServer> StartAsync()
    {
        EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(Pirate);
        return edge;
    }

    private static async Task<string> PromptOfAsync(EdgeServer edge, string path, string request, Action<OllamaMax.Jobs.Job>? check = null)
    {
        Task<HttpResponseMessage> answering = edge.PostAsync(path, $$"""{"model":"pirate","stream":false,{{request[1..]}}""");
        StartedJob started = await edge.Jobs.NextAsync();
        check?.Invoke(started.Job);
        started.Accept().Finish();
        using HttpResponseMessage answer = await answering;
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return started.Job.Prompt;
    }
}
