import { SESSION_STATES } from '@greenroom/contracts';
import { type ChangeEvent, useMemo, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { useLive } from '../live/live.jsx';
import { countOf } from '../parts/format.js';
import { Icon } from '../parts/icon.jsx';
import { setQuery } from '../router/location.js';
import { COLUMNS } from './columns.jsx';
import { EndMatching } from './end-matching.jsx';
import { AGES, type Filters, isAny } from './filters.js';
import { type Sort, type SortKey, writeSort } from './sort.js';
import styles from './toolbar.module.css';

const STATES = SESSION_STATES.filter((state) => state !== 'gone');

export interface ToolbarProps {
  readonly filters: Filters;
  readonly sort: Sort;
  /** How many sessions match. */
  readonly shown: number;
}

/** Which sessions are shown, and what can be done with all of them. What is chosen stands in the address. */
export function Toolbar({ filters, sort, shown }: ToolbarProps) {
  const sessions = useLive((state) => state.sessions);
  const pools = useLive((state) => state.pools);
  const hosts = useLive((state) => state.hosts);
  const [isEnding, setIsEnding] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  const profiles = useMemo(() => withChosen([...pools.keys()], filters.profile), [pools, filters.profile]);
  const hostNames = useMemo(() => withChosen([...hosts.keys()], filters.host), [hosts, filters.host]);
  const isFiltered = !isAny(filters);
  return (
    <div className={`${styles.toolbar} ${isOpen ? styles.open : ''}`} role="search" aria-label="Sessions">
      <input
        className={`${styles.control} ${styles.search}`}
        type="search"
        placeholder="Search user, name or id"
        aria-label="Search user, name or id"
        value={filters.q}
        onChange={(event) => setQuery({ q: event.target.value })}
        data-testid="filter-q"
      />
      <Button
        size="small"
        className={styles.more ?? ''}
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        data-testid="more-filters"
      >
        Filters
      </Button>
      <Choice label="State" name="state" value={filters.state} any="All states" options={STATES} />
      <Choice label="Profile" name="profile" value={filters.profile} any="All profiles" options={profiles} />
      <Choice label="Host" name="host" value={filters.host} any="All hosts" options={hostNames} />
      <Choice
        label="Age"
        name="older"
        value={filters.older}
        any="Any age"
        options={Object.keys(AGES)}
        labelOf={(age) => AGES[age]?.label ?? age}
      />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={filters.errors}
          onChange={(event) => setQuery({ errors: event.target.checked ? '1' : '' })}
          data-testid="filter-errors"
        />
        Errors only
      </label>
      <SortChoice sort={sort} />
      <span className={styles.count} role="status" data-testid="session-count">
        {isFiltered
          ? `${shown.toLocaleString('en')} of ${countOf(sessions.size, 'session')}`
          : countOf(sessions.size, 'session')}
      </span>
      {isFiltered && (
        <Button kind="bare" size="small" onClick={clear} data-testid="clear-filters">
          Clear
        </Button>
      )}
      <Button
        size="small"
        className={styles.end ?? ''}
        disabled={!isFiltered || filters.errors || shown === 0}
        title={endHint(filters)}
        onClick={() => setIsEnding(true)}
        data-testid="end-matching"
      >
        <Icon name="stop" /> End matching…
      </Button>
      {isEnding && <EndMatching filters={filters} onClose={() => setIsEnding(false)} />}
    </div>
  );
}

function Choice(choice: {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly any: string;
  readonly options: readonly string[];
  readonly labelOf?: (option: string) => string;
}) {
  const { label, name, value, any, options, labelOf = (option) => option } = choice;
  return (
    <select
      className={styles.control}
      aria-label={label}
      value={value}
      onChange={(event) => setQuery({ [name]: event.target.value })}
      data-testid={`filter-${name}`}
    >
      <option value="">{any}</option>
      {options.map((option) => (
        <option key={option} value={option}>
          {labelOf(option)}
        </option>
      ))}
    </select>
  );
}

/** Where there is no room for the heads of the columns. */
function SortChoice({ sort }: { sort: Sort }) {
  const choose = ({ target }: ChangeEvent<HTMLSelectElement>): void => {
    const [by, direction] = target.value.split(' ');
    setQuery({ sort: writeSort({ by: by as SortKey, isDescending: direction === 'down' }) });
  };
  return (
    <select
      className={`${styles.control} ${styles.sort}`}
      aria-label="Sort by"
      value={`${sort.by} ${sort.isDescending ? 'down' : 'up'}`}
      onChange={choose}
      data-testid="sort-choice"
    >
      {COLUMNS.flatMap(({ key, label }) => [
        <option key={`${key} up`} value={`${key} up`}>{`Sort: ${label} ▴`}</option>,
        <option key={`${key} down`} value={`${key} down`}>{`Sort: ${label} ▾`}</option>,
      ])}
    </select>
  );
}

function clear(): void {
  setQuery({ q: '', state: '', profile: '', host: '', older: '', errors: '' });
}

function endHint(filters: Filters): string | undefined {
  if (filters.errors) return 'Choose a state instead of “Errors only”: the api cannot end by that.';
  return isAny(filters) ? 'Choose which sessions first.' : undefined;
}

/** What stands in the address is among the options, also where it is gone. */
function withChosen(names: readonly string[], chosen: string): string[] {
  return [...new Set([...names, ...(chosen === '' ? [] : [chosen])])].sort();
}
