using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Models;

public sealed class ModelNameTests
{
    [Theory]
    [InlineData("demo", "registry.ollama.ai/library/demo:latest", "demo:latest")]
    [InlineData("qwen3:4b", "registry.ollama.ai/library/qwen3:4b", "qwen3:4b")]
    [InlineData("me/demo", "registry.ollama.ai/me/demo:latest", "me/demo:latest")]
    [InlineData("library/demo:1", "registry.ollama.ai/library/demo:1", "demo:1")]
    [InlineData("registry.ollama.ai/library/demo", "registry.ollama.ai/library/demo:latest", "demo:latest")]
    [InlineData("hf.co/Owner/Model-GGUF:Q4_K_M", "hf.co/Owner/Model-GGUF:Q4_K_M", "hf.co/Owner/Model-GGUF:Q4_K_M")]
    [InlineData("localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest")]
    [InlineData("https://example.com/a/b:c", "example.com/a/b:c", "example.com/a/b:c")]
    [InlineData("_x.y-z", "registry.ollama.ai/library/_x.y-z:latest", "_x.y-z:latest")]
    public void Parse_Name_FillsInDefaultsAndShowsTheShortForm(string text, string full, string shown)
    {
        ModelName name = ModelName.Parse(text);

        name.FullName.ShouldBe(full);
        name.ToString().ShouldBe(shown);
        ModelName.Parse(shown).ShouldBe(name);
    }

    [Theory]
    [InlineData(null, "empty")]
    [InlineData("", "empty")]
    [InlineData(":", "empty name")]
    [InlineData("demo:", "empty tag")]
    [InlineData(":latest", "empty name")]
    [InlineData("/demo", "empty namespace")]
    [InlineData("me/", "empty name")]
    [InlineData("a/b/c/d", "more than the three parts")]
    [InlineData("../demo", "does not begin with")]
    [InlineData("..", "does not begin with")]
    [InlineData("demo:..", "does not begin with")]
    [InlineData("a/../b", "does not begin with")]
    [InlineData("-demo", "does not begin with")]
    [InlineData("de mo", "not allowed")]
    [InlineData("demo:la/test", "not allowed")]
    [InlineData("dé", "not allowed")]
    [InlineData("my.space/demo", "not allowed")]
    [InlineData("demo\\x", "not allowed")]
    [InlineData("demo%2f", "not allowed")]
    [InlineData("demo\n", "not allowed")]
    [InlineData("demo:a:b", "not allowed")]
    public void TryParse_WhatIsNoName_SaysWhy(string? text, string why)
    {
        ModelName.TryParse(text, out ModelName? name, out string? error).ShouldBeFalse();

        name.ShouldBeNull();
        error.ShouldNotBeNull().ShouldContain(why);
        error.ShouldNotContain('\n');
    }

    [Fact]
    public void TryParse_OverlongPart_IsRefusedWithAShortMessage()
    {
        ModelName.TryParse(new string('a', 80), out _, out _).ShouldBeTrue();
        ModelName.TryParse(new string('a', 1_000_000), out _, out string? error).ShouldBeFalse();

        error.ShouldNotBeNull().Length.ShouldBeLessThan(300);
    }

    [Fact]
    public void Equals_OtherCase_IsTheSameModelShownAsWritten()
    {
        ModelName name = ModelName.Parse("HF.co/Owner/Model:Q4");
        ModelName other = ModelName.Parse("hf.co/owner/model:q4");

        name.ShouldBe(other);
        name.GetHashCode().ShouldBe(other.GetHashCode());
        name.ToString().ShouldBe("HF.co/Owner/Model:Q4");
        name.ShouldNotBe(ModelName.Parse("hf.co/owner/model:q5"));
    }

    [Fact]
    public void TryParseManifestPath_ItsOwnPath_GivesTheName()
    {
        ModelName name = ModelName.Parse("localhost:5000/a/b:c");

        name.ManifestPath.ShouldBe("localhost:5000/a/b/c");
        ModelName.TryParseManifestPath(name.ManifestPath, out ModelName? back).ShouldBeTrue();
        back.ShouldBe(name);
    }

    [Theory]
    [InlineData("a/b/c")]
    [InlineData("a/b/c/d/e")]
    [InlineData("a/../c/d")]
    [InlineData("a//c/d")]
    public void TryParseManifestPath_NoNamesPath_IsRefused(string path) =>
        ModelName.TryParseManifestPath(path, out _).ShouldBeFalse();
}
