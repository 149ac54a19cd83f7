using OllamaMax.GpuWorker.Forwarding;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

public sealed class ForwardTargetTests
{
    [Fact]
    public void Parse_KindAndUrl_HasASlashAtTheEnd() =>
        ForwardTarget.Parse("openai=http://localhost:8000/v1").ShouldBe(new ForwardTarget("openai", new Uri("http://localhost:8000/v1/"), null));

    [Theory]
    [InlineData("http://localhost:11434", "kind=url")]
    [InlineData("lmstudio=http://localhost", "ollama, openai, vllm, llama-server")]
    [InlineData("ollama=localhost:11434", "is no http(s) URL")]
    [InlineData("ollama=http://user:secret@localhost", "without user")]
    [InlineData("openai:OLLAMAMAX_NO_SUCH_VARIABLE=http://localhost/v1", "OLLAMAMAX_NO_SUCH_VARIABLE")]
    public void Parse_WhatIsNone_SaysWhy(string text, string why) =>
        Should.Throw<ArgumentException>(() => ForwardTarget.Parse(text)).Message.ShouldContain(why);
}
