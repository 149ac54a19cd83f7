using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class HuggingFaceTests
{
    [Theory]
    [InlineData("https://huggingface.co/org/repo/blob/main/model.gguf", "https://huggingface.co/org/repo/resolve/main/model.gguf")]
    [InlineData("https://hf.co/org/repo/blob/refs%2Fpr%2F1/sub/model.gguf?x=1#part", "https://hf.co/org/repo/resolve/refs%2Fpr%2F1/sub/model.gguf")]
    [InlineData("https://huggingface.co/org/repo/raw/main/model.gguf", "https://huggingface.co/org/repo/resolve/main/model.gguf")]
    [InlineData("https://huggingface.co/org/repo?show_file_info=sub%2Fmodel.gguf", "https://huggingface.co/org/repo/resolve/main/sub/model.gguf")]
    [InlineData("https://huggingface.co/org/repo/tree/main/sub?show_file_info=sub%2Fmodel.gguf", "https://huggingface.co/org/repo/resolve/main/sub/model.gguf")]
    [InlineData("https://huggingface.co/org/repo/tree/v2?show_file_info=model.gguf", "https://huggingface.co/org/repo/resolve/v2/model.gguf")]
    [InlineData("https://huggingface.co/org/repo/resolve/main/model.gguf?download=true", null)]
    [InlineData("https://huggingface.co/org/repo/blob/", null)]
    [InlineData("https://huggingface.co/org/repo", null)]
    [InlineData("https://huggingface.co", null)]
    [InlineData("https://github.com/org/repo/blob/main/model.gguf", null)]
    public void FileOf_Address_IsTheFileThatAPageShows(string address, string? file) => HuggingFace.FileOf(new(address)).AbsoluteUri.ShouldBe(file ?? new Uri(address).AbsoluteUri);
}
