using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

public sealed class GgufSplitTests
{
    [Theory]
    [InlineData("model-00002-of-00003.gguf", "model-00001-of-00003.gguf", 3)]
    [InlineData("/a/b-of-c/m-Q4_K_M-00001-of-00002.GGUF", "/a/b-of-c/m-Q4_K_M-00001-of-00002.GGUF", 2)]
    [InlineData("one-00001-of-00001.gguf", "one-00001-of-00001.gguf", 1)]
    public void PartsOf_APart_AreAll(string name, string first, int count)
    {
        IReadOnlyList<string> parts = GgufSplit.PartsOf(name).ShouldNotBeNull();

        (parts[0], parts.Count).ShouldBe((first, count));
        parts.ShouldContain(name);
    }

    [Theory]
    [InlineData("model.gguf")]
    [InlineData("model-00004-of-00003.gguf")]
    [InlineData("model-00000-of-00003.gguf")]
    [InlineData("model-0001-of-0003.gguf")]
    [InlineData("model-00001-of-99999.gguf")]
    [InlineData("/-00001-of-00003.gguf")]
    public void PartsOf_NoPart_IsNull(string name) => GgufSplit.PartsOf(name).ShouldBeNull();
}
