using System.Security.Cryptography;
using System.Text;
using OllamaMax.Cluster;
using OllamaMax.Edge.Backup;
using OllamaMax.Edge.Http;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Cluster;
using OllamaMax.Storage.Models;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Backup;

public sealed class BackupReaderTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>How documents are written; none is read or written here.</summary>
    private static readonly ClusterDocuments Documents = new(new BlobDocuments(new StorageAccount("UseDevelopmentStorage=true")));

    private static readonly string Whole = Encoding.UTF8.GetString(new BackupWriter(Documents).Write(Content()).Span);

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        BackupContent read = Read(Whole).Value.ShouldNotBeNull();

        Encoding.UTF8.GetString(new BackupWriter(Documents).Write(read).Span).ShouldBe(Whole);
        read.State.Content.Policies["demo"].MinReplicas.ShouldBe(2);
        read.Models.ShouldHaveSingleItem().Blobs.ShouldHaveSingleItem();
        read.Usage.ShouldHaveSingleItem().Models["demo:latest"].ShouldBe(new UseCount(1, 2, 3));
    }

    [Fact]
    public void Read_CutAnywhere_IsRefused()
    {
        for (int length = 0; length < Whole.Length; length += 7)
            Read(Whole[..length]).Error.ShouldNotBeNull(length.ToString()).Status.ShouldBe(400);
        Read(Whole[..^1]).Error!.Message.ShouldContain("cut off");
    }

    [Fact]
    public void Read_AnyLineChangedOrGone_IsRefused()
    {
        string[] lines = Whole.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < lines.Length; i++)
        {
            string[] without = [.. lines[..i], .. lines[(i + 1)..]];
            Read(string.Join('\n', without) + "\n").Error.ShouldNotBeNull($"without line {i + 1}");
        }
        Read(Whole.Replace("\"acme\"", "\"evil\"", StringComparison.Ordinal)).Error!.Message.ShouldContain("damaged");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}\n")]
    [InlineData("no JSON\n")]
    [InlineData("\n\n\n")]
    [InlineData("{\"kind\":\"header\",\"value\":7}\n")]
    [InlineData("{\"kind\":\"header\",\"value\":{\"format\":\"another\",\"version\":1}}\n")]
    public void Read_ForeignFile_SaysThatItIsNone(string file) => Read(file).Error!.Message.ShouldContain("no backup");

    [Theory]
    [InlineData("{\"kind\":\"header\",\"value\":{\"format\":\"ollamamax-backup\",\"version\":2}}\n", "format 2")]
    [InlineData("{\"kind\":\"header\",\"value\":{\"format\":\"ollamamax-backup\",\"version\":1,\"schemas\":{\"state\":99},\"created_at\":\"2026-01-02T03:04:05Z\",\"edge_version\":\"9\",\"left_out\":[]}}\n", "state of schema 99")]
    [InlineData("{\"kind\":\"header\",\"value\":{\"format\":\"ollamamax-backup\",\"version\":1,\"schemas\":{\"dreams\":1},\"created_at\":\"2026-01-02T03:04:05Z\",\"edge_version\":\"9\",\"left_out\":[]}}\n", "dreams of schema 1")]
    public void Read_NewerFormatOrSchema_AsksForAnUpgrade(string file, string says)
    {
        string message = Read(file).Error!.Message;

        message.ShouldContain(says);
        message.ShouldContain("upgrade this edge");
    }

    [Fact]
    public void Read_OlderSchemaOfTheState_IsUpgraded()
    {
        string older = Sealed(
            """{"kind":"header","value":{"format":"ollamamax-backup","version":1,"schemas":{"state":1,"key":1},"created_at":"2026-01-02T03:04:05Z","edge_version":"0.9.0","left_out":[]}}""",
            """{"kind":"state","value":{"schema":1,"epoch":4,"leader":"e","since":"2026-01-02T03:04:05Z","version":9,"content":{"members":{},"drains":{"w":"2026-01-02T03:04:05Z"},"revoked":{},"commands":[]}}}""");

        ClusterState state = Read(older).Value.ShouldNotBeNull().State.Content;

        (state.Drains.Count, state.Policies.Count).ShouldBe((1, 0));
    }

    [Theory]
    [InlineData("""{"kind":"key","value":{"id":"../../x"}}""")]
    [InlineData("""{"kind":"key","value":null}""")]
    [InlineData("""{"kind":"enrolment","value":{"id":"../x","name":"n","public_key":"k","enrolled_at":"2026-01-02T03:04:05Z"}}""")]
    [InlineData("""{"kind":"model","value":{"name":"demo","manifest":{},"blobs":[]}}""")]
    [InlineData("""{"kind":"model","value":{"name":"demo","manifest":7,"blobs":null}}""")]
    [InlineData("""{"kind":"usage","value":{"day":"2026-01-02"}}""")]
    [InlineData("""{"kind":"state","value":{"schema":2}}""")]
    [InlineData("""{"kind":"dream","value":{}}""")]
    [InlineData("""[]""")]
    public void Read_LineThatMakesNoSense_NamesItsNumber(string line)
    {
        string[] lines = Whole.Split('\n');

        Read(Sealed(lines[0], lines[1], line)).Error!.Message.ShouldStartWith("line 3 of the backup");
    }

    private static Result<BackupContent> Read(string file) => new BackupReader(Documents).Read(Encoding.UTF8.GetBytes(file));

    /// <summary>These lines, with the end that fits.</summary>
    private static string Sealed(params string[] lines)
    {
        string before = string.Join('\n', lines) + "\n";
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(before)));
        return $$$"""{{{before}}}{"kind":"end","value":{"lines":{{{lines.Length}}},"sha256":"{{{hash}}}"}}""" + "\n";
    }

    private static BackupContent Content()
    {
        ApiKey key = ApiKey.Create();
        byte[] config = "{}"u8.ToArray();
        string digest = ModelDigest.Of(config);
        ModelManifest manifest = new()
        {
            Config = new(ModelManifest.ConfigMediaType, digest, config.Length),
            Layers = [new(ModelLayer.Model, ModelDigest.Of([1]), 1)],
        };
        return new()
        {
            Header = new(BackupFormat.Name, BackupFormat.Version, BackupFormat.Schemas(Documents.State.Schema), At, "1.0.0", []),
            State = new(2, 5, "edge", At, 8, ClusterState.Empty with { Policies = new Dictionary<string, ModelPolicy> { ["demo"] = new() { MinReplicas = 2 } } }),
            Keys = [new() { Id = key.Id, Name = "laptop", Tenant = "acme", Role = Role.User, CreatedAt = At, CreatedBy = "admin", Secrets = [KeySecret.Of(key)] }],
            Enrolments = [new EnrolmentRecord("0123456789abcdef", "box", "key", At)],
            Models = [new ArchivedModel(ModelName.Parse("demo"), manifest, [new ArchivedBlob(digest, config)])],
            Usage = [new DayUsage(new(2026, 1, 2), "acme", key.Id, new Dictionary<string, UseCount> { ["demo:latest"] = new(1, 2, 3) }) { Document = "d" }],
        };
    }
}
