using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.LlamaCpp;
using OllamaMax.TestKit;

namespace OllamaMax.Inference.Tests.LlamaCpp;

public sealed class LlamaLocatorTests
{
    [Fact]
    public void FindDirectory_ConfiguredWithoutLibrary_SaysSo() =>
        Should.Throw<ModelLoadException>(() => LlamaLocator.FindDirectory(Path.GetTempPath(), "/")).Message.ShouldContain(LlamaLocator.Variable);

    [Fact]
    public void FindDirectory_NothingThere_SaysWhatToDo() =>
        Should.Throw<ModelLoadException>(() => LlamaLocator.FindDirectory(null, Path.GetTempPath())).Message.ShouldContain("npm ci");

    [Theory]
    [InlineData("libllama.so", true)]
    [InlineData("libllama.v0.5.0.so", true)]
    [InlineData("libllama.cuda.v0.5.0.so", true)]
    [InlineData("libllama-common.so", false)]
    public void FindLibrary_NamesOfThePackages_AreFound(string file, bool isFound)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems name libraries otherwise.");
        using TempFolder folder = new();
        File.WriteAllText(folder.File(file), "");

        LlamaLocator.FindLibrary(folder.Path, LlamaApi.Llama).ShouldBe(isFound ? folder.File(file) : null);
    }

    [Theory]
    [InlineData("linux-x64-cuda/bins/linux-x64-cuda/fallback")] // Published.
    [InlineData("linux-x64-cuda-ext/bins/linux-x64-cuda/fallback")] // As npm has it.
    public void FindFallback_InThePackageOrBesideIt_IsFound(string path)
    {
        using TempFolder folder = new();
        string package = Directory.CreateDirectory(folder.File("linux-x64-cuda/bins/linux-x64-cuda")).FullName;
        LlamaLocator.FindFallback(package).ShouldBeNull();

        string fallback = Directory.CreateDirectory(folder.File(path)).FullName;

        LlamaLocator.FindFallback(package).ShouldBe(fallback);
    }
}
