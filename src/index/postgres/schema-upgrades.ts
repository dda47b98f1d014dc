/**
 * What each version added; their number is the current version. While servers of two versions run
 * side by side in a rolling update both use the tables: an upgrade only ever adds, and changes
 * nothing that is there already.
 */
export const schemaUpgrades = [
  `
  create table crossmodal.collections (
    n bigint generated always as identity primary key, -- its tables are items_<n>, …
    space text not null,
    dimensions int not null,
    fields json not null,    -- array of dot paths
    options json not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    graph text not null default 'none' check (graph in ('none', 'building', 'ready'))
  );
  -- Names and aliases in one table: none is given twice.
  create table crossmodal.names (
    name text collate "C" primary key,
    n bigint not null references crossmodal.collections,
    alias boolean not null
  );
  create index names_by_number on crossmodal.names (n);
  -- What each statement changed of the sums of the embeddings, by modality. Rows are only added, so
  -- that writers do not wait for each other; graph-upkeep.ts folds them.
  create table crossmodal.mean_deltas (
    n bigint not null,
    modality smallint not null,
    count bigint not null,
    sums float8[] not null
  );
  create index mean_deltas_by_number on crossmodal.mean_deltas (n);
  -- {count, sum, …} in float8, where avg(vector) rounds to float32.
  create aggregate crossmodal.vector_sums(vector) (
    sfunc = vector_accum, stype = float8[], combinefunc = vector_combine,
    initcond = '{0}', parallel = safe
  );
  create function crossmodal.negated(float8[]) returns float8[] language sql immutable parallel safe
    as 'select array_agg(-x order by o) from unnest($1) with ordinality u(x, o)';
  create function crossmodal.vectors_changed() returns trigger language plpgsql as $$
  begin
    if tg_op = 'INSERT' then
      insert into crossmodal.mean_deltas
        select tg_argv[0]::bigint, modality, s[1]::bigint, s[2:] from
          (select modality, crossmodal.vector_sums(embedding) s from come group by modality) g;
    elsif tg_op = 'DELETE' then
      insert into crossmodal.mean_deltas
        select tg_argv[0]::bigint, modality, -s[1]::bigint, crossmodal.negated(s[2:]) from
          (select modality, crossmodal.vector_sums(embedding) s from gone group by modality) g;
    else
      insert into crossmodal.mean_deltas
        select tg_argv[0]::bigint, modality, sign * s[1]::bigint,
          case sign when 1 then s[2:] else crossmodal.negated(s[2:]) end from (
            select modality, sign, crossmodal.vector_sums(embedding) s from (
              select come.modality, come.embedding, 1 sign from come join gone using (seq)
                where come.embedding <> gone.embedding or come.modality <> gone.modality
              union all
              select gone.modality, gone.embedding, -1 from come join gone using (seq)
                where come.embedding <> gone.embedding or come.modality <> gone.modality
            ) both_sides group by modality, sign
          ) g;
    end if;
    return null;
  end $$;
  `,
  `
  -- Which item refers to which file of kept media, and hashes that references have left.
  create table crossmodal.media (
    n bigint not null,
    seq bigint not null,
    sha256 text collate "C" not null,
    bytes bigint not null,
    media_type text not null,
    primary key (n, seq)
  );
  create index media_by_hash on crossmodal.media (sha256);
  create table crossmodal.released_media (sha256 text collate "C" primary key);
  create function crossmodal.media_released() returns trigger language plpgsql as $$
  begin
    insert into crossmodal.released_media
      select distinct sha256 from gone order by sha256 on conflict do nothing;
    return null;
  end $$;
  create trigger gone after delete on crossmodal.media
    referencing old table as gone for each statement execute function crossmodal.media_released();
  `,
  `
  -- Folders of files that servers share: heads, label sets, keys. The epoch of a folder grows with
  -- each change; whoever changes it holds its row.
  create table crossmodal.folders (name text primary key, epoch bigint not null);
  create table crossmodal.files (
    folder text not null,
    path text collate "C" not null,
    sha256 text not null,
    primary key (folder, path)
  );
  -- In parts, since a value ends at 1 GB and a message is held in memory.
  create table crossmodal.file_parts (
    folder text not null,
    path text collate "C" not null,
    part int not null,
    bytes bytea not null,
    primary key (folder, path, part),
    foreign key (folder, path) references crossmodal.files on delete cascade
  );
  alter table crossmodal.file_parts alter column bytes set storage external;
  `,
  `
  create sequence crossmodal.job_revisions;
  -- Their files are in crossmodal.files, folder "jobs", as <id>/<fence>/<name>.
  create table crossmodal.jobs (
    id text primary key,
    record json not null,
    state text not null,
    lane text not null,
    home text,               -- the one server that may run it, if it is not for all
    fence bigint not null default 0,      -- grows with each change of state
    revision bigint not null default nextval('crossmodal.job_revisions'),
    owner text,              -- the server that runs it
    lease_until timestamptz, -- by this database's clock
    deaths int not null default 0,        -- servers that ended while they ran it
    cancel boolean not null default false
  );
  create unique index jobs_running on crossmodal.jobs (lane, coalesce(home, ''))
    where state = 'running';
  `,
  `
  -- Which vectors each transaction changed, for the copies that servers hold in memory (copies/). A
  -- row without seqs says that those of transactions up to its own may be gone.
  create table crossmodal.vector_changes (
    n bigint not null,
    xid xid8 not null default pg_current_xact_id(),
    seqs bigint[],
    at timestamptz not null default clock_timestamp()
  );
  create index vector_changes_by_transaction on crossmodal.vector_changes (n, xid);
  -- Writers under way end first: none of them goes on without the log.
  lock table crossmodal.collections in exclusive mode;
  create or replace function crossmodal.vectors_changed() returns trigger language plpgsql as $$
  declare
    n bigint := tg_argv[0];
  begin
    if tg_op = 'INSERT' then
      insert into crossmodal.mean_deltas
        select n, modality, s[1]::bigint, s[2:] from
          (select modality, crossmodal.vector_sums(embedding) s from come group by modality) g;
      insert into crossmodal.vector_changes (n, seqs)
        select n, array_agg(seq) from come having count(*) > 0;
    elsif tg_op = 'DELETE' then
      insert into crossmodal.mean_deltas
        select n, modality, -s[1]::bigint, crossmodal.negated(s[2:]) from
          (select modality, crossmodal.vector_sums(embedding) s from gone group by modality) g;
      insert into crossmodal.vector_changes (n, seqs)
        select n, array_agg(seq) from gone having count(*) > 0;
    else
      insert into crossmodal.mean_deltas
        select n, modality, sign * s[1]::bigint,
          case sign when 1 then s[2:] else crossmodal.negated(s[2:]) end from (
            select modality, sign, crossmodal.vector_sums(embedding) s from (
              select come.modality, come.embedding, 1 sign from come join gone using (seq)
                where come.embedding <> gone.embedding or come.modality <> gone.modality
              union all
              select gone.modality, gone.embedding, -1 from come join gone using (seq)
                where come.embedding <> gone.embedding or come.modality <> gone.modality
            ) both_sides group by modality, sign
          ) g;
      insert into crossmodal.vector_changes (n, seqs)
        select n, array_agg(seq) from come join gone using (seq)
        where come.embedding <> gone.embedding or come.modality <> gone.modality
        having count(*) > 0;
    end if;
    return null;
  end $$;
  `,
];
