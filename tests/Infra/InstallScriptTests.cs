using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using OllamaMax.TestKit;

namespace OllamaMax.Infra.Tests;

/// <summary>packaging/linux/install.sh in a folder of its own instead of /; systemd and the worker's answer are the only parts that are played.</summary>
[SupportedOSPlatform("linux")]
public sealed class InstallScriptTests : IDisposable
{
    private const string Token = "the-token";

    private readonly TempFolder _root = new();
    private readonly TempFolder _bin = new();

    public InstallScriptTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The script is for Linux.");

    private string Current => Path.Combine(_root.Path, "opt", "ollamamax", "current");

    private string Releases => Path.Combine(_root.Path, "opt", "ollamamax", "releases");

    private string Settings => Path.Combine(_root.Path, "etc", "ollamamax", "worker.env");

    private string Unit => Path.Combine(_root.Path, "etc", "systemd", "system", "ollamamax-worker.service");

    [Fact]
    public async Task Install_BoxIsLetIn_StartsAServiceThatKnowsNoToken()
    {
        using TempFolder published = Published("one");

        Script installed = await InstallAsync(published, "--drain-seconds", "300", "--", "--label", "gpu=a100");

        installed.ExitCode.ShouldBe(0, installed.Errors);
        (await ReadAsync(Path.Combine(Current, "OllamaMax.GpuWorker.dll"))).ShouldBe("one");
        string asked = await ReadAsync(_bin.File("asked"));
        asked.ShouldContain($"join --edge https://edge.example --data {_root.Path}/var/lib/ollamamax token={Token}");
        string settings = await ReadAsync(Settings);
        settings.ShouldContain("OLLAMAMAX_EDGE=https://edge.example\n");
        settings.ShouldContain("OLLAMAMAX_OPTIONS=--label gpu=a100\n");
        string unit = await ReadAsync(Unit);
        (settings + unit + asked.Replace($"token={Token}", "", StringComparison.Ordinal)).ShouldNotContain(Token);
        // A stop is a drain, which must not be cut short.
        int.Parse(Regex.Match(unit, "TimeoutStopSec=(\\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(300);
        installed.Output.ShouldContain("systemctl enable ollamamax-worker\nsystemctl restart ollamamax-worker");
    }

    /// <summary>systemd takes the quotes off when it starts the service; what is tried before must be the same.</summary>
    [Fact]
    public async Task Install_OptionInQuotes_IsTriedAsOneWord()
    {
        using TempFolder published = Published("one");

        Script installed = await InstallAsync(published, "--", "--name", "\"GPU box\"", "--slots", "8");
        Script unmatched = await InstallAsync(published, "--", "--name", "\"GPU");

        installed.ExitCode.ShouldBe(0, installed.Errors);
        (await ReadAsync(_bin.File("asked"))).ShouldContain("--name GPU box --slots 8");
        (await ReadAsync(Settings)).ShouldContain("OLLAMAMAX_OPTIONS=--name \"GPU box\" --slots 8\n");
        unmatched.ExitCode.ShouldBe(1);
        unmatched.Errors.ShouldContain("the options' quotes do not match");
    }

    /// <summary>Of a local host with --https: join asks it, and so does the service, which reads no home.</summary>
    [Fact]
    public async Task Install_EdgeWithAPrivateAuthority_TrustsItBeforeAndAfter()
    {
        using TempFolder published = Published("one");
        await File.WriteAllTextAsync(_bin.File("ca.pem"), "an authority", TestContext.Current.CancellationToken);

        Script installed = await InstallAsync(published, "--ca", _bin.File("ca.pem"), "--", "--slots", "8");

        installed.ExitCode.ShouldBe(0, installed.Errors);
        string authority = Path.Combine(_root.Path, "etc", "ollamamax", "ca.pem");
        (await ReadAsync(_bin.File("asked"))).ShouldContain($" --ca {authority}.new ");
        (await ReadAsync(authority)).ShouldBe("an authority");
        File.GetUnixFileMode(authority).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        (await ReadAsync(Settings)).ShouldContain("OLLAMAMAX_OPTIONS=--ca /etc/ollamamax/ca.pem --slots 8\n");
    }

    [Fact]
    public async Task Install_BoxIsNotLetIn_ChangesNothing()
    {
        using TempFolder published = Published("one");
        await PlayWorkerAsync(exitCode: 2);

        Script installed = await Script.RunAsync(ScriptFile, ["--edge", "https://edge.example", "--from", published.Path], Environment);

        installed.ExitCode.ShouldBe(1);
        installed.Errors.ShouldContain("not let in");
        installed.Output.ShouldNotContain("systemctl");
        (Directory.Exists(Current), File.Exists(Unit), Directory.EnumerateDirectories(Releases).Any()).ShouldBe((false, false, false));
    }

    [Fact]
    public async Task Update_Twice_KeepsTheVersionBefore_AndGoesBackToIt()
    {
        using TempFolder one = Published("one"), two = Published("two"), three = Published("three");
        (await InstallAsync(one)).ExitCode.ShouldBe(0);

        foreach (TempFolder newer in new[] { two, three })
            (await Script.RunAsync(ScriptFile, ["update", "--from", newer.Path], Environment)).Output.ShouldBe("systemctl restart ollamamax-worker\n");

        (await ReadAsync(Path.Combine(Current, "OllamaMax.GpuWorker.dll"))).ShouldBe("three");
        Directory.EnumerateDirectories(Releases).Count().ShouldBe(2);
        (await Script.RunAsync(ScriptFile, ["rollback"], Environment)).Output.ShouldBe("systemctl restart ollamamax-worker\n");
        (await ReadAsync(Path.Combine(Current, "OllamaMax.GpuWorker.dll"))).ShouldBe("two");
    }

    [Fact]
    public async Task Install_OptionsThatTheWorkerRefuses_ChangesNothing()
    {
        using TempFolder published = Published("one");
        await PlayWorkerAsync(exitCode: 0, checkExitCode: 1);

        Script installed = await Script.RunAsync(
            ScriptFile, ["--edge", "https://edge.example", "--from", published.Path, "--", "--slots", "many", "--replicas", "/srv/models"], Environment);

        (installed.ExitCode, installed.Output).ShouldBe((1, ""));
        installed.Errors.ShouldContain("cannot be run so");
        (await ReadAsync(_bin.File("asked"))).ShouldContain(" run --check --drain-seconds 120 --slots many --replicas /srv/models --edge https://edge.example");
        (await ReadAsync(_bin.File("asked"))).ShouldNotContain("join");
        (Directory.Exists(Current), File.Exists(Unit), Directory.Exists(_root.File("srv/models"))).ShouldBe((false, false, false));
    }

    [Fact]
    public async Task Install_FolderOfCopiesElsewhere_MayBeWrittenByTheService_UntilItIsNoMore()
    {
        using TempFolder one = Published("one"), two = Published("two");
        string allowed = Path.Combine(Unit + ".d", "replicas.conf");

        (await InstallAsync(one, "--", "--slots", "8", "--replicas", "/srv/models")).ExitCode.ShouldBe(0);

        (await ReadAsync(allowed)).ShouldBe("[Service]\nReadWritePaths=/srv/models\n");
        Directory.Exists(_root.File("srv/models")).ShouldBeTrue();
        (await InstallAsync(two)).ExitCode.ShouldBe(0);
        File.Exists(allowed).ShouldBeFalse();
    }

    [Fact]
    public async Task Install_ServiceEndsAtOnce_SaysSo()
    {
        using TempFolder published = Published("one");
        await PlayAsync("systemctl", "[ \"$1\" != is-active ]");
        await PlayAsync("sleep", "");
        await PlayAsync("journalctl", "echo the reason");

        Script installed = await InstallAsync(published);

        installed.ExitCode.ShouldBe(1);
        installed.Errors.ShouldContain("the reason\ninstall.sh: the service is in place and does not run");
    }

    [Theory]
    [InlineData("--edge", "https://edge.example", "--drain-seconds", "9999")]
    [InlineData("--edge", "https://edge.example", "--", "--replicas", "models")]
    [InlineData("--edge", "https://edge.example", "--", "--replicas=/home/me/models")]
    [InlineData("--edge", "ftp://edge.example")]
    [InlineData("--edge", "https://edge.example", "--drain-seconds", "soon")]
    [InlineData("--edge", "https://edge.example", "--ca", "/no/such/file")]
    [InlineData("--edge")]
    [InlineData("update")]
    [InlineData("rollback")]
    public async Task Install_WhatMakesNoSense_EndsBeforeItBegins(params string[] arguments)
    {
        Script ended = await Script.RunAsync(ScriptFile, arguments, Environment);

        ended.ExitCode.ShouldBe(1);
        ended.Errors.ShouldStartWith("install.sh: ");
        Directory.EnumerateFileSystemEntries(_root.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Uninstall_KeepsWhatTheBoxIs()
    {
        using TempFolder published = Published("one");
        (await InstallAsync(published)).ExitCode.ShouldBe(0);

        Script gone = await Script.RunAsync(ScriptFile, ["uninstall"], Environment);

        gone.Output.ShouldContain("systemctl disable --now ollamamax-worker");
        (Directory.Exists(Current), File.Exists(Unit), Directory.Exists(Path.Combine(_root.Path, "var", "lib", "ollamamax"))).ShouldBe((false, false, true));
    }

    public void Dispose()
    {
        _root.Dispose();
        _bin.Dispose();
    }

    private static string ScriptFile => Repository.File("packaging", "linux", "install.sh");

    private Dictionary<string, string?> Environment => new()
    {
        ["OLLAMAMAX_ROOT"] = _root.Path,
        ["OLLAMAMAX_JOIN_TOKEN"] = Token,
        ["OLLAMAMAX_SYSTEMCTL"] = File.Exists(_bin.File("systemctl")) ? _bin.File("systemctl") : null,
        ["PATH"] = $"{_bin.Path}:{System.Environment.GetEnvironmentVariable("PATH")}",
    };

    private async Task<Script> InstallAsync(TempFolder published, params string[] more)
    {
        await PlayWorkerAsync(exitCode: 0);
        return await Script.RunAsync(ScriptFile, ["--edge", "https://edge.example", "--from", published.Path, .. more], Environment);
    }

    /// <summary>Notes what it was asked, and ends as the worker's <c>join</c> and <c>run --check</c> would.</summary>
    private Task PlayWorkerAsync(int exitCode, int checkExitCode = 0) =>
        PlayAsync("dotnet", $"echo \"$* token=$OLLAMAMAX_JOIN_TOKEN\" >>'{_bin.File("asked")}'\n[ \"$2\" = run ] && exit {checkExitCode}\nexit {exitCode}");

    private async Task PlayAsync(string program, string script)
    {
        await File.WriteAllTextAsync(_bin.File(program), $"#!/bin/sh\n{script}\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(_bin.File(program), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static TempFolder Published(string content)
    {
        TempFolder folder = new();
        File.WriteAllText(folder.File("OllamaMax.GpuWorker.dll"), content);
        return folder;
    }

    private static Task<string> ReadAsync(string file) => File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
}
