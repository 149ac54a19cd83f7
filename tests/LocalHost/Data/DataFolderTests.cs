using OllamaMax.LocalHost.Data;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests.Data;

public sealed class DataFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Open_InUse_SaysByWhom()
    {
        using DataFolder first = DataFolder.Open(_folder.Path);

        Should.Throw<StartException>(() => DataFolder.Open(_folder.Path)).Message
            .ShouldStartWith($"another local host (pid {Environment.ProcessId}) uses {_folder.Path}");
    }

    [Fact]
    public void Open_AfterDispose_IsFree()
    {
        DataFolder.Open(_folder.Path).Dispose();

        DataFolder.Open(_folder.Path).Dispose();
    }

    [Fact]
    public void Open_NotAFolder_SaysSo()
    {
        File.WriteAllText(_folder.File("file"), "");

        Should.Throw<StartException>(() => DataFolder.Open(_folder.File("file"))).Message.ShouldContain("cannot be used");
    }

    [Fact]
    public void Open_InsideACheckout_KeepsItselfOutOfGit()
    {
        Directory.CreateDirectory(_folder.File(".git"));

        DataFolder.Open(_folder.File("a/b")).Dispose();

        File.ReadAllText(_folder.File("a/b/.gitignore")).ShouldBe("*\n");
    }

    [Fact]
    public void Open_OutsideACheckout_WritesNoGitIgnore()
    {
        DataFolder.Open(_folder.File("a")).Dispose();

        File.Exists(_folder.File("a/.gitignore")).ShouldBeFalse();
    }

    [Fact]
    public void GetOrCreate_LaterAndAgain_IsTheSameSecret()
    {
        using DataFolder first = DataFolder.Open(_folder.Path);
        string secret = first.Secrets.GetOrCreate("signalr-key");
        first.Dispose();
        using DataFolder second = DataFolder.Open(_folder.Path);

        second.Secrets.Find("other").ShouldBeNull();
        second.Secrets.Find("signalr-key").ShouldBe(secret);
        second.Secrets.GetOrCreate("signalr-key").ShouldBe(secret);
        second.Secrets.GetOrCreate("other").ShouldNotBe(secret);
        Convert.FromBase64String(secret).Length.ShouldBe(32);
    }

    [Fact]
    public void GetOrCreate_OnUnix_IsForTheOwnerAlone()
    {
        if (OperatingSystem.IsWindows())
            return; // It has no file modes.
        using DataFolder data = DataFolder.Open(_folder.File("new"));

        data.Secrets.GetOrCreate("key");

        File.GetUnixFileMode(_folder.File("new/secrets/key")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(_folder.File("new/secrets")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => _folder.Dispose();
}
